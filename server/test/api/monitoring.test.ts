/** The ledger, alarms and traces over HTTP: shapes, refusals and rights. The matrix looks at workspaces. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  balanceSchema,
  canaryRunSchema,
  deliverySchema,
  foundTraceSchema,
  incidentSchema,
  madeAlarmTargetSchema,
  pageOf,
  watchedNumberSchema,
} from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shardOf } from '#inbox';
import { newId } from '#kernel';
import { type Furnished, furnish } from './furnish.ts';
import { openWorld, type World } from './world.ts';

let world: World;
let ours: Furnished;
let key: Record<string, string>;
beforeAll(async () => {
  world = await openWorld();
  ours = await furnish(world, 'norte');
  key = await world.addKey(ours.workspaceId);
});
afterAll(() => world.close());

const get = (path: string, headers = key) => world.ask('GET', `/api/v1${path}`, { headers });
const post = (path: string, body?: unknown, headers = key) => world.ask('POST', `/api/v1${path}`, { headers, body });

describe('the search for traces', () => {
  it('finds a message whose turn failed for good and one that nobody has read, for its own workspace', async () => {
    const theirs = await furnish(world, 'oeste');
    const itsKey = await world.addKey(theirs.workspaceId);
    const [sent] = await world.db.ownerQuery<{ phone: string }>(
      `WITH kept AS (
         INSERT INTO deliveries (workspace_id, id, account_id, provider, route_kind, method, target, headers, body, received_at)
         VALUES ($1, $3, $2, 'meta', 'token', 'POST', '/', '{}', $5, now())),
       queued AS (
         INSERT INTO inbox (workspace_id, id, account_id, shard, position, after_position) VALUES ($1, $3, $2, $6, 1, 0)),
       failed AS (
         INSERT INTO events (workspace_id, id, delivery_id, account_id, conversation_id, ordinal, kind, type, key, payload, received_at,
           position, after_position, state, reason, provider_message_id)
         SELECT $1, gen_random_uuid(), d.id, $2, $4, 1, 'message', 'text', 'wamid.dead', '{}', now(), 1, 0, 'dead', 'it broke', 'wamid.dead'
         FROM deliveries d WHERE d.workspace_id = $1)
       SELECT value AS phone FROM identities WHERE workspace_id = $1 AND kind = 'phone' LIMIT 1`,
      [
        ...[theirs.workspaceId, theirs.accountId, newId('delivery'), theirs.conversationId, unreadBody],
        shardOf({ accountId: theirs.accountId, workspaceId: theirs.workspaceId }),
      ],
    );
    const traces = async (query: string, headers = itsKey) =>
      pageOf(foundTraceSchema).parse((await get(`/monitoring/traces?q=${encodeURIComponent(query)}`, headers)).json())
        .data;
    for (const query of ['wamid.dead', sent?.phone ?? '']) {
      expect((await traces(query)).map(({ id, isProblem }) => [id, isProblem])).toContainEqual([
        theirs.ids.delivery,
        true,
      ]);
      expect(await traces(query, key)).toEqual([]);
    }
    for (const query of ['wamid.unread', '+34 655 111 333']) {
      expect(await traces(query)).toMatchObject([{ hops: [{ kind: 'received', facts: { isRead: false } }] }]);
      expect(await traces(query, key)).toEqual([]);
    }
  });
});

const unreadBody = Buffer.from(
  JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '1',
        changes: [
          {
            field: 'messages',
            value: {
              ...{ messaging_product: 'whatsapp', metadata: { phone_number_id: '1' } },
              messages: [
                {
                  from: '34655111333',
                  id: 'wamid.unread',
                  timestamp: '1767225600',
                  type: 'text',
                  text: { body: 'hola' },
                },
              ],
            },
          },
        ],
      },
    ],
  }),
);

describe('the balance', () => {
  it('counts the last day, by account and hour', async () => {
    const answer = await get('/monitoring/balance');
    const balance = balanceSchema.parse(answer.json());
    expect(balance).toMatchObject({ isBalanced: true, totals: { received: 1, normalised: 1 } });
    expect(new Date(balance.to).getTime() - new Date(balance.from).getTime()).toBeGreaterThanOrEqual(24 * 3_600_000);
    const ofAccount = balanceSchema.parse((await get(`/monitoring/balance?account=${ours.ids.account}`)).json());
    expect(ofAccount.hours).toEqual([]);
  });

  it.each([
    ['a beginning after the end', 'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z'],
    ['more than 31 days', 'from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z'],
    ['no moment', 'from=yesterday'],
    ['a day alone', 'to=2026-01-01'],
    ['no account', 'account=nonsense'],
    ['a name that there is not', 'form=2026-01-01T00:00:00Z'],
  ])('refuses %s', async (_name, query) => {
    const answer = await get(`/monitoring/balance?${query}`);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid-request' });
  });
});

describe('alarms', () => {
  it('are listed, those that are open apart', async () => {
    const page = pageOf(incidentSchema).parse((await get('/monitoring/alarms?state=open')).json());
    expect(page.data).toMatchObject([{ kind: 'balance', state: 'open', facts: { stages: 'norte' } }]);
    expect((await get('/monitoring/alarms?state=resolved')).json()).toEqual({ data: [], nextCursor: null });
    expect((await get('/monitoring/alarms?state=lost')).status).toBe(400);
  });

  it('are told to a webhook whose secret is shown once, is tried, and is in the audit log', async () => {
    const calls: string[] = [];
    const hook = createServer((request, response) => {
      calls.push(request.url ?? '');
      response.writeHead(calls.length === 1 ? 204 : 500).end();
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/x`;
    const made = await post('/monitoring/alarm-targets', { kind: 'webhook', address });
    expect(made.status, made.text).toBe(201);
    const { id, secret } = madeAlarmTargetSchema.parse(made.json());
    expect(secret).toMatch(/^whsec_/);
    expect((await get('/monitoring/alarm-targets')).text).not.toContain(secret);
    expect((await post(`/monitoring/alarm-targets/${id}/test`)).json()).toMatchObject({
      isDelivered: true,
      error: null,
    });
    expect((await post(`/monitoring/alarm-targets/${id}/test`)).json()).toMatchObject({
      ...{ isDelivered: false, error: 'it answered 500' },
    });
    const removed = await world.ask('DELETE', `/api/v1/monitoring/alarm-targets/${id}`, { headers: key });
    expect(removed.status).toBe(204);
    expect((await post(`/monitoring/alarm-targets/${id}/test`)).status).toBe(404);
    await new Promise((resolve) => hook.close(resolve));
    const audited = await world.db.ownerQuery<{ action: string; resource: string }>(
      `SELECT action, resource FROM audit_log WHERE workspace_id = $1 AND resource LIKE 'alarm target%' ORDER BY sequence`,
      [ours.workspaceId],
    );
    expect(audited.map(({ action }) => action)).toEqual(['create', 'delete']);
    const [row] = await world.db.ownerQuery<{ secret_sealed: Buffer | null }>(
      'SELECT secret_sealed FROM alarm_targets WHERE address = $1',
      [address],
    );
    expect(row?.secret_sealed).toBeNull();
  });

  it.each([
    ['no URL', { kind: 'webhook', address: 'nowhere' }, 400],
    ['a URL of another kind', { kind: 'webhook', address: 'file:///etc/passwd' }, 400],
    ['no e-mail address', { kind: 'email', address: 'https://example.com' }, 400],
    ['a kind that there is not', { kind: 'pigeon', address: 'a@example.com' }, 400],
    ['a further field', { kind: 'webhook', address: 'https://example.com', secret: 'mine' }, 400],
    ['mail without a server of mail', { kind: 'email', address: 'a@example.com' }, 422],
  ])('refuse %s', async (_name, body, status) => {
    const answer = await post('/monitoring/alarm-targets', body);
    expect(answer.status, answer.text).toBe(status);
  });

  it('let an agent look, and change nothing, nor see who is told', async () => {
    const headers = await (await world.addPerson(ours.workspaceId, 'agent')).logIn();
    expect((await get('/monitoring/alarms', headers)).status).toBe(200);
    expect((await get('/monitoring/balance', headers)).status).toBe(200);
    expect((await get('/monitoring/alarm-targets', headers)).status).toBe(403);
    expect((await post(`/monitoring/numbers/${ours.ids.account}/canary`, undefined, headers)).status).toBe(403);
  });
});

describe('numbers', () => {
  it('tell their rhythm and their canary, which can be sent and scheduled', async () => {
    const path = `/monitoring/numbers/${ours.ids.account}`;
    await world.accounts.update(ours.workspaceId, ours.accountId, { isActive: false });
    expect((await post(`${path}/canary`)).json()).toMatchObject({ status: 409, code: 'account-inactive' });
    await world.accounts.update(ours.workspaceId, ours.accountId, { isActive: true });
    const sent = await post(`${path}/canary`);
    expect(sent.status, sent.text).toBe(202);
    const run = canaryRunSchema.parse(sent.json());
    expect(run).toMatchObject({ state: 'running', error: null });
    const scheduled = await world.ask('PATCH', `/api/v1${path}`, { headers: key, body: { everyMinutes: 15 } });
    expect(scheduled.json()).toEqual({ everyMinutes: 15 });
    for (const everyMinutes of [0, 1441, 1.5, '5'])
      expect((await world.ask('PATCH', `/api/v1${path}`, { headers: key, body: { everyMinutes } })).status).toBe(400);
    const numbers = pageOf(watchedNumberSchema).parse((await get('/monitoring/numbers')).json());
    expect(numbers.data).toMatchObject([
      {
        accountId: ours.ids.account,
        rhythm: { verdict: 'learning' },
        canary: { everyMinutes: 15, lastRun: { id: run.id } },
      },
    ]);
  });
});

describe('a delivery', () => {
  it('tells its state, milliseconds, error, message and sender', async () => {
    const { data } = pageOf(deliverySchema).parse((await get('/deliveries')).json());
    const furnished = data.find(({ id }) => id === ours.ids.delivery);
    expect(furnished).toMatchObject({ status: 'processed', error: null, messageId: null, sender: null });
  });
});
