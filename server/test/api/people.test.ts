/** Sessions of one's own, invitations, members, and the log of it all, over HTTP. */
import type { WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixedClock } from '#kernel';
import { deleteEndedSessions, invitationLimits, logInLimits } from '#workspaces';
import { type Furnished, furnish } from './furnish.ts';
import { listen, stopListening } from './listening.ts';
import { cookieOf, metaAccount, openWorld, ownPage, type Person, password, type World } from './world.ts';

let world: World;
let shop: Furnished;
const clock = fixedClock(new Date());

beforeAll(async () => {
  world = await openWorld({ clock });
  shop = await furnish(world, 'shop');
});
afterAll(async () => {
  stopListening();
  await world.close();
});

type Headers = Readonly<Record<string, string>>;
const get = (path: string, headers: Headers) => world.ask('GET', `/api/v1${path}`, { headers });
const send = (method: string, path: string, headers: Headers, body?: unknown) =>
  world.ask(method, `/api/v1${path}`, { headers, ...(body === undefined ? {} : { body }) });
const publicId = (person: Person) => `per_${person.id.replaceAll('-', '')}`;

interface SessionView {
  readonly id: string;
  readonly isThis: boolean;
  readonly userAgent: string | null;
}
const sessionsOf = async (headers: Headers) => (await get('/sessions', headers)).json<{ data: SessionView[] }>().data;

describe('one’s own sessions', () => {
  it('are listed with the one that asks, and another person’s are not there', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const first = await person.logIn();
    const answer = await send(
      'POST',
      '/session',
      { ...ownPage, 'user-agent': 'A browser' },
      { email: person.email, password },
    );
    const second = { ...ownPage, cookie: cookieOf(answer) };
    const listed = await sessionsOf(second);
    expect(listed).toHaveLength(2);
    expect(listed.find(({ isThis }) => isThis)).toMatchObject({ userAgent: 'A browser' });
    const other = await (await world.addPerson(shop.workspaceId, 'owner')).logIn();
    const theirs = listed.find(({ isThis }) => !isThis)?.id;
    expect((await send('DELETE', `/sessions/${theirs}`, other)).status).toBe(404);
    expect((await get('/me', first)).status).toBe(200);
  });

  it('end within a second, with their streams, in every process', async () => {
    const elsewhere = await world.openProcess();
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const [first, second] = [await person.logIn(), await person.logIn()];
    const stream = await listen(elsewhere.port, second);
    expect(stream.status).toBe(200);
    const begun = performance.now();
    const victim = (await sessionsOf(first)).find(({ isThis }) => !isThis);
    expect((await send('DELETE', `/sessions/${victim?.id}`, first)).status).toBe(204);
    expect((await elsewhere.ask('GET', '/api/v1/me', { headers: second })).status).toBe(401);
    await expect.poll(() => stream.isEnded, { timeout: 1_000, interval: 10 }).toBe(true);
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect((await send('DELETE', `/sessions/${victim?.id}`, first)).status).toBe(404);
    expect((await get('/me', first)).status).toBe(200);
  });

  it('end all at once but for the one that asks', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const [first, second, third] = [await person.logIn(), await person.logIn(), await person.logIn()];
    expect((await send('DELETE', '/sessions', third)).json()).toEqual({ ended: 2 });
    for (const [headers, status] of [
      [first, 401],
      [second, 401],
      [third, 200],
    ] as const)
      expect((await get('/me', headers)).status).toBe(status);
  });

  it('are forgotten a while after their end, and no sooner', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    for (let count = 0; count < 3; count += 1) await person.logIn();
    const age = (set: string, id: string) =>
      world.db.ownerQuery(`UPDATE person_sessions SET ${set} WHERE id = $1`, [id]);
    const rows = await world.db.ownerQuery<{ id: string }>('SELECT id FROM person_sessions WHERE person_id = $1', [
      person.id,
    ]);
    await age(`expires_at = now() - interval '31 days'`, rows[0]!.id);
    await age(`expires_at = now() - interval '29 days'`, rows[1]!.id);
    await deleteEndedSessions(world.db.storage);
    const left = await world.db.ownerQuery<{ id: string }>('SELECT id FROM person_sessions WHERE person_id = $1', [
      person.id,
    ]);
    expect(left.map(({ id }) => id).sort()).toEqual([rows[1]!.id, rows[2]!.id].sort());
  });
});

describe('an invitation', () => {
  const invite = async (headers: Headers, email: string, role = 'agent') => {
    const answer = await send('POST', '/invitations', headers, { email, role });
    return { answer, token: answer.json<{ link?: string }>().link?.split('#')[1] ?? '' };
  };
  const accept = (token: string, more: object = {}) =>
    send('POST', '/invitations/accept', ownPage, { token, name: 'Noor', password: 'a long password', ...more });

  it('lets a new person choose a password and join with the invited role, once', async () => {
    const owner = await (await world.addPerson(shop.workspaceId, 'owner')).logIn();
    const { answer, token } = await invite(owner, 'Noor@Example.com', 'admin');
    expect(answer.status).toBe(201);
    expect(answer.json()).toMatchObject({
      email: 'noor@example.com',
      state: 'open',
      link: expect.stringContaining('https://hooks.example.com/join#'),
    });
    const shown = await send('POST', '/invitations/look', ownPage, { token });
    expect(shown.json()).toMatchObject({ workspaceName: 'shop', email: 'noor@example.com', role: 'admin' });
    expect((await accept(token, { password: 'short' })).json()).toMatchObject({ code: 'weak-password' });
    const answers = await Promise.all([accept(token), accept(token)]);
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    const me = await send('POST', '/session', ownPage, { email: 'noor@example.com', password: 'a long password' });
    expect(me.json()).toMatchObject({ workspaces: [{ name: 'shop', role: 'admin' }] });
    expect((await accept(token)).json()).toMatchObject({ code: 'invitation-over', status: 410 });
    const { data } = (await get('/invitations', owner)).json<{ data: { email: string; state: string }[] }>();
    expect(data.find(({ email }) => email === 'noor@example.com')?.state).toBe('accepted');
    const entries = (await get('/audit?resource=invitation&limit=2', owner)).json<{ data: object[] }>().data;
    expect(entries).toMatchObject([
      { action: 'accept', actorName: 'Noor' },
      { action: 'create', fields: { after: { role: 'admin', email: '•••' } } },
    ]);
  });

  it('asks a known person for their own password, and does not lower a role', async () => {
    const owner = await world.addPerson(shop.workspaceId, 'owner');
    const headers = await owner.logIn();
    const elsewhere = await furnish(world, `other-${owner.id.slice(-6)}`);
    const known = await world.addPerson(elsewhere.workspaceId, 'viewer');
    const { token } = await invite(headers, known.email);
    expect((await accept(token)).json()).toMatchObject({ code: 'wrong-credentials', status: 401 });
    expect((await accept(token, { password })).status).toBe(204);
    const me = (await get('/me', await known.logIn())).json<{ workspaces: { role: string }[] }>();
    expect(me.workspaces.map(({ role }) => role).sort()).toEqual(['agent', 'viewer']);
    expect((await invite(headers, known.email)).answer.json()).toMatchObject({ code: 'already-member', status: 409 });
  });

  it('is worth nothing when it is taken back, replaced, too old or made up', async () => {
    const owner = await (await world.addPerson(shop.workspaceId, 'owner')).logIn();
    const revoked = await invite(owner, 'a@example.com');
    expect((await send('DELETE', `/invitations/${revoked.answer.json().id}`, owner)).status).toBe(204);
    expect((await send('DELETE', `/invitations/${revoked.answer.json().id}`, owner)).status).toBe(404);
    const replaced = await invite(owner, 'b@example.com');
    const old = await invite(owner, 'b@example.com');
    clock.advanceMs(invitationLimits.validMs + 1_000);
    for (const token of [revoked.token, replaced.token, old.token, 'x'.repeat(43)]) {
      expect((await accept(token)).json()).toMatchObject({ code: 'invitation-over' });
      expect((await send('POST', '/invitations/look', ownPage, { token })).status).toBe(410);
    }
    expect((await accept('short')).status).toBe(400);
  });

  it('keeps only the hash of its link', async () => {
    const owner = await (await world.addPerson(shop.workspaceId, 'owner')).logIn();
    const { token } = await invite(owner, 'c@example.com');
    const kept = JSON.stringify(await world.db.ownerQuery('SELECT * FROM invitations'));
    expect(kept).not.toContain(token);
    expect((await get('/invitations', owner)).text).not.toContain(token);
  });

  it('makes an owner only for an owner, and never for a key', async () => {
    const admin = await (await world.addPerson(shop.workspaceId, 'admin')).logIn();
    const key = await world.addKey(shop.workspaceId);
    for (const headers of [admin, key])
      expect((await invite(headers, 'd@example.com', 'owner')).answer.json()).toMatchObject({ code: 'forbidden' });
    expect((await invite(admin, 'd@example.com', 'admin')).answer.status).toBe(201);
  });
});

describe('members', () => {
  const change = (headers: Headers, person: Person, role: string) =>
    send('PATCH', `/members/${publicId(person)}`, headers, { role });
  const remove = (headers: Headers, person: Person) => send('DELETE', `/members/${publicId(person)}`, headers);

  it('are listed in pages, each once', async () => {
    const workspaceId = await world.addWorkspace('Pages');
    for (let count = 0; count < 5; count += 1) await world.addPerson(workspaceId, count ? 'agent' : 'owner');
    const headers = await world.addKey(workspaceId);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { data: { id: string }[]; nextCursor: string | null } = (
        await get(`/members?limit=2${cursor ? `&cursor=${cursor}` : ''}`, headers)
      ).json();
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect([seen.length, new Set(seen).size]).toEqual([5, 5]);
  });

  it('keep their last owner, even when two owners go at the same moment', async () => {
    const workspaceId = await world.addWorkspace('Owners');
    const [one, two] = [await world.addPerson(workspaceId, 'owner'), await world.addPerson(workspaceId, 'owner')];
    const [first, second] = [await one.logIn(), await two.logIn()];
    const answers = await Promise.all([change(first, one, 'agent'), remove(second, two)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
    expect(answers.find(({ status }) => status === 409)?.json()).toMatchObject({ code: 'last-owner' });
    const owners = await world.db.ownerQuery(`SELECT 1 FROM members WHERE workspace_id = $1 AND role = 'owner'`, [
      workspaceId,
    ]);
    expect(owners).toHaveLength(1);
  });

  it('are handled by admins, owners only by owners, and nobody raises themselves', async () => {
    const workspaceId = await world.addWorkspace('Ranks');
    const owner = await world.addPerson(workspaceId, 'owner');
    const admin = await world.addPerson(workspaceId, 'admin');
    const agent = await world.addPerson(workspaceId, 'agent');
    const [asOwner, asAdmin, asAgent] = [await owner.logIn(), await admin.logIn(), await agent.logIn()];
    const key = await world.addKey(workspaceId);
    expect((await change(asAgent, agent, 'admin')).status).toBe(403);
    for (const headers of [asAdmin, key]) {
      expect((await change(headers, admin, 'owner')).json()).toMatchObject({ code: 'forbidden' });
      expect((await change(headers, owner, 'agent')).json()).toMatchObject({ code: 'forbidden' });
      expect((await remove(headers, owner)).json()).toMatchObject({ code: 'forbidden' });
    }
    expect((await change(asAdmin, agent, 'viewer')).status).toBe(204);
    expect((await change(asOwner, agent, 'owner')).status).toBe(204);
    expect((await change(asOwner, agent, 'king')).status).toBe(400);
  });

  it('that are removed are out at once, and the log says who did it to whom', async () => {
    const workspaceId = await world.addWorkspace('Leaving');
    const owner = await world.addPerson(workspaceId, 'owner');
    const agent = await world.addPerson(workspaceId, 'agent');
    const [asOwner, asAgent] = [await owner.logIn(), await agent.logIn()];
    const stream = await listen(world.port, asAgent);
    expect((await remove(asOwner, agent)).status).toBe(204);
    expect((await get('/accounts', asAgent)).status).toBe(404);
    await expect.poll(() => stream.isEnded, { timeout: 1_000, interval: 10 }).toBe(true);
    expect((await remove(asOwner, agent)).status).toBe(404);
    const [entry] = (await get('/audit', asOwner)).json<{ data: object[] }>().data;
    expect(entry).toMatchObject({
      actor: `person ${publicId(owner)}`,
      action: 'remove',
      resource: `member ${publicId(agent)}`,
      fields: { before: { role: 'agent' } },
    });
    expect((await get('/audit/verify', asOwner)).json()).toMatchObject({ isWhole: true, broken: null });
  });
});

describe('the audit log', () => {
  it('is read in pages, by admins only, and takes an anchor', async () => {
    const workspaceId = await world.addWorkspace('Logged');
    const headers = await (await world.addPerson(workspaceId, 'admin')).logIn();
    for (let count = 0; count < 4; count += 1)
      await send('POST', '/api-keys', headers, { name: `key ${count}`, scopes: ['read'] });
    const first = (await get('/audit?limit=3', headers)).json<{
      data: { sequence: string; hash: string }[];
      nextCursor: string;
    }>();
    const second = (await get(`/audit?limit=3&cursor=${first.nextCursor}`, headers)).json<{
      data: { sequence: string }[];
    }>();
    expect([...first.data, ...second.data].map(({ sequence }) => sequence)).toEqual(['5', '4', '3', '2', '1']);
    const head = first.data[0]!;
    expect((await get(`/audit/verify?anchor=5:${head.hash}`, headers)).json()).toMatchObject({ isWhole: true });
    expect((await get(`/audit/verify?anchor=5:${'0'.repeat(64)}`, headers)).json()).toMatchObject({ isWhole: false });
    expect((await get('/audit/verify?anchor=x', headers)).status).toBe(400);
    const agent = await (await world.addPerson(workspaceId, 'agent')).logIn();
    expect((await get('/audit', agent)).status).toBe(403);
  });

  it('and the act are one: what cannot be written down is not done', async () => {
    const workspaceId = await world.addWorkspace('Undone');
    const headers = await world.addKey(workspaceId);
    const account = await world.addAccount(workspaceId);
    const before = await listed(workspaceId);
    const path = `/api/v1/accounts/acc_${account.id.replaceAll('-', '')}`;
    await world.db.ownerQuery(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$`,
    );
    await world.db.ownerQuery(
      'CREATE TRIGGER refuse BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse()',
    );
    for (const [method, url, body] of [
      ['POST', '/api/v1/api-keys', { name: 'x', scopes: ['read'] }],
      ['POST', '/api/v1/invitations', { email: 'x@example.com', role: 'agent' }],
      ['POST', '/api/v1/accounts', metaAccount()],
      ['PATCH', path, { name: 'renamed' }],
      ['POST', `${path}/rotate-token`, undefined],
      ['POST', `${path}/set-primary`, undefined],
      ['DELETE', path, undefined],
    ] as const)
      expect([url, (await world.ask(method, url, { headers, body })).status]).toEqual([url, 500]);
    await world.db.ownerQuery('DROP TRIGGER refuse ON audit_log');
    expect(await listed(workspaceId)).toBe(before);
  });

  /** All that the acts above would have changed. */
  async function listed(workspaceId: WorkspaceId): Promise<string> {
    const tables = ['api_keys', 'invitations', 'accounts', 'webhook_tokens', 'audit_log'];
    const rows = tables.map((table) =>
      world.db.ownerQuery(
        `SELECT to_jsonb(t) - 'last_used_at' AS row FROM ${table} t WHERE workspace_id = $1 ORDER BY 1`,
        [workspaceId],
      ),
    );
    return JSON.stringify(await Promise.all(rows));
  }
});

describe('one’s own password', () => {
  const another = 'another long password';
  const change = (headers: Headers, body: unknown) => send('POST', '/me/password', headers, body);
  const logInBy = (email: string, shown: string) => send('POST', '/session', ownPage, { email, password: shown });

  it('is changed by who shows it; other sessions end, and the log says who did it', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const [mine, other] = [await person.logIn(), await person.logIn()];
    const changed = await change(mine, { currentPassword: password, newPassword: another });
    expect([changed.status, changed.json()]).toEqual([200, { ended: 1 }]);
    expect((await get('/me', mine)).status).toBe(200);
    expect((await get('/me', other)).status).toBe(401);
    expect((await logInBy(person.email, password)).json()).toMatchObject({ code: 'wrong-credentials' });
    expect((await logInBy(person.email, another)).status).toBe(200);
    const owner = await (await world.addPerson(shop.workspaceId, 'owner')).logIn();
    const { data } = (await get('/audit?action=change-password', owner)).json<{ data: object[] }>();
    expect(data).toMatchObject([{ actor: `person ${publicId(person)}`, resource: `person ${publicId(person)}` }]);
    expect(JSON.stringify(data)).not.toContain(another);
  });

  it('stays where the current one is wrong, the new one is weak or the same, or a word is unknown', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const headers = await person.logIn();
    const refusals: readonly (readonly [object, number, string])[] = [
      [{ currentPassword: 'not it', newPassword: another }, 401, 'wrong-credentials'],
      [{ currentPassword: password, newPassword: 'short' }, 422, 'weak-password'],
      [{ currentPassword: password, newPassword: password }, 422, 'same-password'],
      [{ newPassword: another }, 400, 'invalid-request'],
      [{ currentPassword: password, newPassword: another, isOperator: true }, 400, 'invalid-request'],
    ];
    for (const [body, status, code] of refusals)
      expect((await change(headers, body)).json()).toMatchObject({ status, code });
    expect((await logInBy(person.email, password)).status).toBe(200);
    const key = await world.addKey(shop.workspaceId);
    expect((await change(key, { currentPassword: password, newPassword: another })).status).toBe(403);
  });

  it('is not guessed: tries are counted with those of log-ins', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const headers = await person.logIn();
    const answers: number[] = [];
    for (let index = 0; index < logInLimits.addressFromPlace.tries; index += 1)
      answers.push((await change(headers, { currentPassword: `guess ${index}`, newPassword: another })).status);
    expect(answers.at(-2)).toBe(401);
    const slowed = await change(headers, { currentPassword: password, newPassword: another });
    expect([slowed.status, slowed.json().code]).toEqual([429, 'slow-down']);
    expect(Number(slowed.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('of two changes at once is changed by one', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const headers = await person.logIn();
    const both = await Promise.all(
      ['one new password', 'two new password'].map((next) =>
        change(headers, { currentPassword: password, newPassword: next }),
      ),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 401]);
  });
});
