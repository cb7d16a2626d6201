/** Log-in and what a session is worth: cookies, throttling, other sites' pages, log-out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logInLimits } from '#workspaces';
import { type Furnished, furnish } from './furnish.ts';
import { type Answer, type ApiProcess, cookieOf, openWorld, ownPage, password, type World } from './world.ts';

let world: World;
let proxied: ApiProcess;
let shop: Furnished;

beforeAll(async () => {
  world = await openWorld();
  proxied = await world.openProcess({ isProxyTrusted: true });
  shop = await furnish(world, 'shop');
});
afterAll(() => world.close());

function logIn(email: string, secret: string, headers: Readonly<Record<string, string>> = ownPage): Promise<Answer> {
  return world.ask('POST', '/api/v1/session', { headers, body: { email, password: secret } });
}

/** Through the proxy: from this address of the world. */
function logInFrom(ip: string, email: string, secret: string): Promise<Answer> {
  const headers = { ...ownPage, 'x-forwarded-for': ip, 'x-forwarded-proto': 'https' };
  return proxied.ask('POST', '/api/v1/session', { headers, body: { email, password: secret } });
}

const me = (headers: Readonly<Record<string, string>>) => world.ask('GET', '/api/v1/me', { headers });

describe('logging in', () => {
  it('says who one is, by a cookie that no script reads and no other site sends along', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const answer = await logIn(person.email.toUpperCase(), password);
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      person: { email: person.email, isOperator: false },
      workspaces: [{ name: 'shop', role: 'agent' }],
    });
    expect(answer.headers['set-cookie']?.[0]).toMatch(
      /^switchyard=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    );
    expect((await me({ cookie: cookieOf(answer) })).status).toBe(200);
  });

  it('gives a cookie for https only where the proxy says that it is https', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const answer = await logInFrom('198.51.100.7', person.email, password);
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^__Host-switchyard=.*; HttpOnly; Secure; SameSite=Lax$/);
  });

  it('refuses plain http that is not addressed to this machine, and does not believe an untrusted proxy', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const named = await logIn(person.email, password, { ...ownPage, host: 'inbox.example.com' });
    expect([named.status, named.json().code]).toEqual([403, 'https-needed']);
    expect(named.json().detail).toContain('PUBLIC_URL');
    expect(named.headers['set-cookie']).toBeUndefined();
    const claimed = await logIn(person.email, password, { ...ownPage, 'x-forwarded-proto': 'https' });
    expect(claimed.headers['set-cookie']?.[0]).toMatch(/^switchyard=/);
    const throughProxy = await proxied.ask('POST', '/api/v1/session', {
      headers: {
        ...ownPage,
        host: 'inbox.example.com',
        'x-forwarded-for': '198.51.100.8',
        'x-forwarded-proto': 'http',
      },
      body: { email: person.email, password },
    });
    expect(throughProxy.status).toBe(403);
  });

  it('answers an unknown address like a wrong password', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const wrong = await logIn(person.email, 'not the password');
    const unknown = await logIn('nobody@example.com', 'not the password');
    expect([wrong.status, wrong.text]).toEqual([401, unknown.text]);
    expect(unknown.status).toBe(401);
    expect(wrong.json()).toMatchObject({ code: 'wrong-credentials' });
  });

  it('makes a new session each time, whatever cookie was there before', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const planted = { ...ownPage, cookie: 'switchyard=planted-by-somebody-else' };
    const first = cookieOf(await logIn(person.email, password, planted));
    const second = cookieOf(await logIn(person.email, password, { ...ownPage, cookie: first }));
    expect(first).not.toContain('planted');
    expect(second).not.toBe(first);
    expect((await me({ cookie: planted.cookie })).status).toBe(401);
  });

  it('refuses a password of a megabyte before hashing it', async () => {
    expect((await logIn('nobody@example.com', 'x'.repeat(2_000))).status).toBe(400);
    expect((await logIn('nobody@example.com', 'x'.repeat(1_100_000))).status).toBe(413);
  });
});

describe('guessing', () => {
  it('is slowed down, and the right password is refused too then', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const { tries } = logInLimits.addressFromPlace;
    for (let count = 0; count < tries; count += 1)
      expect((await logInFrom('203.0.113.1', person.email, 'a guess')).status).toBe(401);
    const answer = await logInFrom('203.0.113.1', person.email, password);
    expect([answer.status, answer.json().code]).toEqual([429, 'slow-down']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('locks nobody out of the place where they have logged in before', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    expect((await logInFrom('203.0.113.9', person.email, password)).status).toBe(200);
    await world.db.ownerQuery(`UPDATE counters SET total = $1 WHERE key LIKE 'sum:log-in address %'`, [
      logInLimits.address.tries,
    ]);
    expect((await logInFrom('203.0.113.10', person.email, password)).status).toBe(429);
    expect((await logInFrom('203.0.113.9', person.email, password)).status).toBe(200);
  });

  it('counts a place that tries many addresses, and takes one IPv6 network for one place', async () => {
    for (let host = 0; host < 3; host += 1) await logInFrom(`2001:db8:1:2::${host}`, `${host}@example.com`, 'a guess');
    const [row] = await world.db.ownerQuery<{ total: string }>(
      `SELECT total FROM counters WHERE key = 'sum:log-in place 2001:db8:1:2'`,
    );
    expect(Number(row?.total)).toBe(3);
  });
});

describe('a session', () => {
  it('ends at once with the log-out, its removal and its time', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const headers = await person.logIn();
    const left = await world.ask('DELETE', '/api/v1/session', { headers });
    expect([left.status, left.headers['set-cookie']?.length]).toEqual([204, 2]);
    expect((await me(headers)).status).toBe(401);

    const other = await person.logIn();
    await world.db.ownerQuery('UPDATE person_sessions SET revoked_at = now() WHERE person_id = $1', [person.id]);
    expect((await me(other)).status).toBe(401);

    const idle = await person.logIn();
    await world.db.ownerQuery(`UPDATE person_sessions SET last_seen_at = now() - interval '13 hours'`);
    expect((await me(idle)).status).toBe(401);
  });

  it('has the role that its person has now', async () => {
    const person = await world.addPerson(shop.workspaceId, 'admin');
    const headers = await person.logIn();
    expect((await world.ask('GET', '/api/v1/members', { headers })).status).toBe(200);
    await world.workspaces.addMember(shop.workspaceId, person.id, 'viewer');
    expect((await world.ask('GET', '/api/v1/members', { headers })).status).toBe(403);
    await world.db.ownerQuery('DELETE FROM members WHERE person_id = $1', [person.id]);
    expect((await world.ask('GET', '/api/v1/accounts', { headers })).status).toBe(404);
  });

  it('does nothing for a page of another site, a form, or a program that says nothing', async () => {
    const { cookie = '' } = await (await world.addPerson(shop.workspaceId, 'owner')).logIn();
    const path = `/api/v1/conversations/${shop.ids.conversation}`;
    const own = `http://127.0.0.1:${world.port}`;
    const change = (headers: Record<string, string>, body: unknown = { isRead: true }) =>
      world.ask('PATCH', path, { headers: { cookie, ...headers }, body });
    for (const headers of [
      {},
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'cross-site', origin: own },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${world.port + 1}` },
    ] as Record<string, string>[]) {
      const answer = await change(headers);
      expect([headers, answer.status, answer.json().code]).toEqual([headers, 403, 'wrong-origin']);
    }
    expect((await change({ 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    expect((await change({ origin: own })).status).toBe(200);
    expect((await change({ origin: 'https://hooks.example.com' })).status).toBe(200);
    const text = { 'content-type': 'text/plain', 'sec-fetch-site': 'same-origin' };
    expect((await change(text, '{"isRead":true}')).status).toBe(415);
  });

  it('is not read by a page of another site', async () => {
    const { cookie = '' } = await (await world.addPerson(shop.workspaceId, 'owner')).logIn();
    for (const path of ['/api/v1/me', '/api/v1/events', '/api/v1/accounts'])
      for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }])
        expect((await world.ask('GET', path, { headers: { cookie, ...headers } })).status).toBe(403);
    expect((await me({ cookie, 'sec-fetch-site': 'none' })).status).toBe(200);
  });

  it('cannot be begun by a page of another site', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }])
      expect((await logIn(person.email, password, headers)).status).toBe(403);
  });
});
