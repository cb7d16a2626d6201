/** What a request may hold, and what it is answered where it holds something else. */
import { toPublicId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeCursor, newId } from '#kernel';
import { StorageUnavailable } from '#storage';
import { type Furnished, furnish } from './furnish.ts';
import { routeCases, routeName } from './route-table.ts';
import { openWorld, type World } from './world.ts';

let world: World;
let shop: Furnished;
let headers: Record<string, string>;

beforeAll(async () => {
  world = await openWorld();
  shop = await furnish(world, 'shop');
  headers = await world.addKey(shop.workspaceId);
});
afterAll(() => world.close());

interface MessagePage {
  readonly data: readonly { readonly id: string }[];
  readonly nextCursor: string | null;
}

const json = { 'content-type': 'application/json' };
const messages = () => `/api/v1/conversations/${shop.ids.conversation}/messages`;
const post = (path: string, body: unknown, more: Record<string, string> = {}) =>
  world.ask('POST', path, { headers: { ...headers, ...more }, body });

describe('a body', () => {
  it('with a key that the schema does not know is refused, and the key is named', async () => {
    const owner = await (await world.addPerson(shop.workspaceId, 'owner')).logIn();
    const extra = ['workspaceId', 'workspace_id', 'role', 'isOperator', 'is_admin', 'token_hash', 'createdBy', 'id'];
    for (const route of world.app.apiRoutes) {
      const { id, body = {} } = routeCases[routeName(route)] ?? {};
      if (!['POST', 'PUT', 'PATCH'].includes(route.method) || route.access === 'anyone') continue;
      if (typeof body !== 'object' || body === null) continue;
      for (const name of extra.filter((key) => !(key in body))) {
        const path = route.url.replace(':id', id ? shop.ids[id] : '');
        const asking = route.access === 'person' ? owner : headers;
        const answer = await world.ask(route.method, path, { headers: asking, body: { ...body, [name]: 'x' } });
        expect([routeName(route), name, answer.status]).toEqual([routeName(route), name, 400]);
        expect(answer.json()).toMatchObject({ code: 'invalid-request' });
        expect(answer.text).toContain(name);
      }
    }
  }, 60_000);

  it('with a prototype in it is refused and changes no prototype', async () => {
    for (const text of [
      '{"content":{"type":"text","text":"x"},"__proto__":{"polluted":true}}',
      '{"content":{"type":"text","text":"x"},"constructor":{"prototype":{"polluted":true}}}',
      '{"content":{"type":"text","text":"x","__proto__":{"polluted":true}}}',
    ])
      expect((await post(messages(), text, json)).status).toBe(400);
    const settings = '{"provider":"webjs","settings":{"__proto__":{"polluted":"yes"}},"secrets":{}}';
    expect((await post('/api/v1/accounts', settings, json)).status).toBe(400);
    expect((await world.ask('GET', '/api/v1/accounts?__proto__[polluted]=1', { headers })).status).toBe(400);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('that is no JSON, of another type, encoded or too large gets the answer that says so', async () => {
    const cases: readonly [string | Buffer, Record<string, string>, number, string][] = [
      ['{"content":', json, 400, 'malformed-json'],
      ['', json, 400, 'invalid-request'],
      [' ', json, 400, 'malformed-json'],
      ['content=x', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'wrong-content-type'],
      ['{}', { 'content-type': 'text/plain' }, 415, 'wrong-content-type'],
      ['<a/>', { 'content-type': 'application/xml' }, 415, 'wrong-content-type'],
      ['x'.repeat(1024 * 1024 + 1), json, 413, 'too-large'],
      ['[]', json, 400, 'invalid-request'],
      ['null', json, 400, 'invalid-request'],
      [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, json, 400, 'invalid-request'],
      [Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), json, 400, 'malformed-json'],
    ];
    for (const [body, type, status, code] of cases) {
      const answer = await post(messages(), body, type);
      expect([String(body).slice(0, 20), answer.status, answer.json().code]).toEqual([
        String(body).slice(0, 20),
        status,
        code,
      ]);
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(answer.json()).toMatchObject({ status, type: 'about:blank' });
    }
  });

  it('that is of type JSON and empty is none, where one may be left out', async () => {
    const asked = await post(`/api/v1/accounts/${shop.ids.account}/reconnect`, '', json);
    expect([200, 409]).toContain(asked.status);
    expect((await post(`/api/v1/accounts/${shop.ids.account}/set-primary`, '', json)).status).toBe(200);
    const removed = await world.ask('DELETE', `/api/v1/accounts/${newId('account')}`, {
      headers: { ...headers, ...json, 'content-length': '0' },
    });
    expect(removed.json()).toMatchObject({ code: 'not-found' });
  });

  it('with NUL or half of a surrogate pair is refused', async () => {
    for (const text of ['a\\u0000b', 'a\\ud800b']) {
      const answer = await post(messages(), `{"content":{"type":"text","text":"${text}"}}`, json);
      expect([text, answer.status]).toEqual([text, 400]);
      expect(answer.json().errors).toMatchObject([{ path: '/content/text' }]);
    }
    expect((await world.ask('GET', '/api/v1/conversations?search=%00', { headers })).status).toBe(400);
  });

  it('with a number that is none is refused, and one that is typed as people do is kept in its one form', async () => {
    const account = { provider: 'webjs', settings: { session: 'phones' }, secrets: { webhookKey: 'k' } };
    for (const phoneNumber of ['12', 'ring me', '5555 1234'])
      expect((await post('/api/v1/accounts', { ...account, phoneNumber })).json()).toMatchObject({
        code: 'invalid-request',
        errors: [{ path: '/phoneNumber' }],
      });
    const made = await post('/api/v1/accounts', { ...account, phoneNumber: '+52 1 55 1234 5678' });
    expect(made.json()).toMatchObject({ phoneNumber: '+525512345678' });
  });
});

describe('a list', () => {
  it('is read page by page to its end', async () => {
    for (let count = 0; count < 4; count += 1)
      await post(messages(), { content: { type: 'text', text: `page ${count}` } });
    const seen: string[] = [];
    for (let path: string | null = `${messages()}?limit=2`; path; ) {
      const page: MessagePage = (await world.ask('GET', path, { headers })).json();
      expect(page.data.length).toBeLessThanOrEqual(2);
      seen.push(...page.data.map(({ id }) => id));
      path = page.nextCursor ? `${messages()}?limit=2&cursor=${page.nextCursor}` : null;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThanOrEqual(6);
  });

  it('refuses a cursor, a limit, a filter or an id that is none, and names it', async () => {
    const forged = [
      encodeCursor(['x']),
      encodeCursor([null]),
      encodeCursor(["'; DROP TABLE messages; --", newId('message')]),
      encodeCursor([1, 2]),
      'nonsense',
      Buffer.from('{}').toString('base64url'),
    ];
    for (const list of ['/api/v1/deliveries', '/api/v1/conversations', '/api/v1/products', messages()]) {
      for (const wrong of [
        ...forged.map((cursor) => `cursor=${cursor}`),
        'limit=0',
        'limit=201',
        'limit=x',
        'sort=id',
      ]) {
        const answer = await world.ask('GET', `${list}?${wrong}`, { headers });
        expect([list, wrong, answer.status, answer.json().code]).toEqual([list, wrong, 400, 'invalid-request']);
      }
    }
    for (const wrong of ['deliveries?account=x', 'conversations?account=x', 'products?category=acc_1'])
      expect((await world.ask('GET', `/api/v1/${wrong}`, { headers })).status).toBe(400);
  });

  it('takes the signs of a pattern in a search as they are', async () => {
    const find = async (search: string) =>
      (await world.ask('GET', `/api/v1/conversations?search=${encodeURIComponent(search)}`, { headers })).json<{
        data: unknown[];
      }>().data.length;
    expect(await find('sho')).toBe(1);
    expect(await find('s_op')).toBe(0);
    expect(await find('%')).toBe(0);
    expect(await find("' OR 1=1 --")).toBe(0);
  });
});

describe('a conversation', () => {
  it('that a person has read is marked so at the provider, by its newest message and its chat', async () => {
    const marks: unknown[] = [];
    world.outbox.attach({
      leaseFor: () => 0,
      take: () => undefined,
      queued: () => false,
      read: (mark) => void marks.push(mark),
    });
    const path = `/api/v1/conversations/${shop.ids.conversation}`;
    const changed = await world.ask('PATCH', path, { headers: { ...headers, ...json }, body: { isRead: true } });
    expect(changed.status).toBe(200);
    expect(marks).toEqual([
      {
        accountId: shop.accountId,
        workspaceId: shop.workspaceId,
        providerMessageId: 'wamid.shop',
        chat: [expect.objectContaining({ kind: 'phone', value: expect.stringMatching(/^\+3460/) })],
      },
    ]);
  });
});

describe('a message', () => {
  it('that a person writes takes the conversation over from the bot', async () => {
    const agent = await (await world.addPerson(shop.workspaceId, 'agent')).logIn();
    const written = await world.ask('POST', messages(), {
      headers: agent,
      body: { content: { type: 'text', text: 'I am here' } },
    });
    expect([written.status, written.json().status]).toEqual([202, 'queued']);
    const conversation = await world.ask('GET', `/api/v1/conversations/${shop.ids.conversation}`, { headers: agent });
    expect(conversation.json()).toMatchObject({ handler: 'person', lastMessageText: 'I am here' });
    const message = await world.ask('GET', `/api/v1/messages/${String(written.json().id)}`, { headers: agent });
    expect(message.json()).toMatchObject({ author: 'person', text: 'I am here', direction: 'out' });
  });

  it('outside the window is refused, but for a template', async () => {
    await world.db.ownerQuery(`UPDATE conversations SET last_inbound_at = now() - interval '25 hours'`);
    const refused = await post(messages(), { content: { type: 'text', text: 'too late' } });
    expect([refused.status, refused.json().code]).toEqual([422, 'window-closed']);
    const template = { type: 'template', name: 'hello', language: 'en' };
    expect((await post(messages(), { content: template })).status).toBe(202);
    await world.db.ownerQuery('UPDATE conversations SET last_inbound_at = now()');
  });

  it('in doubt is settled by a person, and only while it is in doubt', async () => {
    const settle = (choice: string) => post(`/api/v1/messages/${shop.ids.message}/settle`, { choice });
    expect((await settle('send-again')).json()).toMatchObject({ status: 409, code: 'not-uncertain' });
    await world.db.ownerQuery(`UPDATE outbox SET state = 'uncertain' WHERE message_id = $1`, [shop.messageId]);
    await world.db.ownerQuery(`UPDATE messages SET status = 'uncertain' WHERE id = $1`, [shop.messageId]);
    const again = await settle('send-again');
    expect([again.status, again.json().status]).toEqual([200, 'queued']);
    const [row] = await world.db.ownerQuery<{ state: string; flagged: boolean }>(
      'SELECT state, is_possible_duplicate AS flagged FROM outbox WHERE message_id = $1',
      [shop.messageId],
    );
    expect(row).toEqual({ state: 'queued', flagged: true });
    const [audit] = await world.db.ownerQuery(`SELECT action, resource FROM audit_log ORDER BY at DESC LIMIT 1`);
    expect(audit).toEqual({ action: 'settle', resource: `message ${toPublicId('message', shop.messageId)}` });
  });
});

describe('an answer of ours', () => {
  it('for a page or method that is not there is a problem', async () => {
    for (const [method, path] of [
      ['GET', '/api/v1/nothing'],
      ['PUT', '/api/v1/accounts'],
      ['GET', '/nothing.js'],
    ] as const) {
      const answer = await world.ask(method, path, { headers });
      expect([path, answer.status, answer.json().code]).toEqual([path, 404, 'not-found']);
    }
  });

  it('is 503 with the time to wait while the database is away', async () => {
    const away = async () => {
      throw new StorageUnavailable('away');
    };
    const cut = await world.openProcess({ storage: { ...world.db.storage, inWorkspace: away } });
    const answer = await cut.ask('GET', '/api/v1/conversations', { headers });
    expect([answer.status, answer.json().code, answer.headers['retry-after']]).toEqual([503, 'unavailable', '5']);
  });

  it('is 429 with the time to wait for a key that asks without end, whichever process it asks', async () => {
    const busy = await world.addKey(shop.workspaceId, ['read']);
    expect((await world.ask('GET', '/api/v1/me', { headers: busy })).status).toBe(200);
    await world.db.ownerQuery(`UPDATE counters SET total = 1200 WHERE key LIKE 'sum:api key%'`);
    const other = await world.openProcess();
    const answer = await other.ask('GET', '/api/v1/me', { headers: busy });
    expect([answer.status, answer.json().code]).toEqual([429, 'slow-down']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    await world.db.ownerQuery(`DELETE FROM counters`);
  });
});
