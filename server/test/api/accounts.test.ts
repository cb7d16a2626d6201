/** Accounts over the interface: their life, their health, their figures. */
import {
  accountHealthSchema,
  accountStatisticsSchema,
  accountStatusSchema,
  healthyAccountSchema,
  pageOf,
  providerSchema,
  providers,
  type WorkspaceId,
} from '@switchyard/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '#kernel';
import { metaAccount, openWorld, type World } from './world.ts';

let world: World;
let workspaceId: WorkspaceId;
let headers: Record<string, string>;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  workspaceId = await world.addWorkspace(`Shop ${newId('workspace')}`);
  headers = await world.addKey(workspaceId);
});

const ask = (method: string, path: string, body?: unknown) =>
  world.ask(method, `/api/v1${path}`, { headers, ...(body === undefined ? {} : { body }) });

async function add(more: object = {}) {
  const answer = await ask('POST', '/accounts', { ...metaAccount(), ...more });
  expect(answer.status, answer.text).toBe(201);
  return answer.json<{ id: string; uuid: string; name: string; isPrimary: boolean; token: string }>();
}

it('an account is told with its number as people write it, its id in both forms and its events', async () => {
  const { id } = await add({ phoneNumber: '+34600111222', businessName: 'North', metadata: { team: 'a' } });
  const account = (await ask('GET', `/accounts/${id}`)).json();
  expect(account).toMatchObject({
    phoneNumber: '+34600111222',
    phoneDisplay: '+34 600 11 12 22',
    businessName: 'North',
    metadata: { team: 'a' },
    status: 'disconnected',
    isActive: false,
    webhookEvents: { subscribed: null, missing: [] },
    health: { score: 50, isHealthy: false },
    createdBy: null,
  });
  expect(id).toBe(`acc_${String(account.uuid).replaceAll('-', '')}`);
  expect(() => healthyAccountSchema.parse(account)).not.toThrow();
  const person = await (await world.addPerson(workspaceId, 'owner')).logIn();
  const made = await world.ask('POST', '/api/v1/accounts', { headers: person, body: metaAccount() });
  expect(made.json()).toMatchObject({ createdBy: expect.stringMatching(/^per_/) });
});

it('accounts come in pages, the primary one first and then the newest', async () => {
  const made = [await add(), await add(), await add()];
  await ask('POST', `/accounts/${made[1]?.id}/set-primary`);
  const first = (await ask('GET', '/accounts?limit=2')).json<{ data: { id: string }[]; nextCursor: string }>();
  expect(first.data.map(({ id }) => id)).toEqual([made[1]?.id, made[2]?.id]);
  const second = (await ask('GET', `/accounts?limit=2&cursor=${first.nextCursor}`)).json();
  expect(second).toMatchObject({ data: [{ id: made[0]?.id }], nextCursor: null });
  expect((await ask('GET', '/accounts?cursor=nonsense')).status).toBe(400);
});

it('a removed account is listed apart and comes back with a new token', async () => {
  const { id, token } = await add();
  expect((await ask('POST', `/accounts/${id}/restore`)).json()).toMatchObject({ status: 409, state: 'present' });
  await ask('DELETE', `/accounts/${id}`);
  expect((await ask('GET', '/accounts')).json()).toMatchObject({ data: [] });
  expect((await ask('GET', '/accounts?removed=true')).json()).toMatchObject({
    data: [{ id, removedAt: expect.any(String) }],
  });
  expect((await ask('GET', `/accounts/${id}/health`)).status).toBe(404);
  const restored = (await ask('POST', `/accounts/${id}/restore`)).json<{ token: string }>();
  expect(restored).toMatchObject({ id, isActive: false, removedAt: null });
  expect(restored.token).not.toBe(token);
});

describe('reconnect and disconnect', () => {
  it('move the connection, and answer 409 with the state where it forbids them', async () => {
    const { id } = await add();
    expect((await ask('POST', `/accounts/${id}/disconnect`)).json()).toMatchObject({
      status: 409,
      code: 'connection-forbids',
      state: 'disconnected',
    });
    expect((await ask('POST', `/accounts/${id}/reconnect`)).json()).toMatchObject({ status: 'connecting' });
    expect((await ask('POST', `/accounts/${id}/reconnect`)).json()).toMatchObject({ status: 409, state: 'connecting' });
    const ended = await ask('POST', `/accounts/${id}/disconnect`, { reason: 'stocktaking' });
    expect(ended.json()).toMatchObject({ status: 'disconnected', statusDetail: 'stocktaking' });
    const status = (await ask('GET', `/accounts/${id}/status`)).json();
    expect(status).toMatchObject({
      acts: ['connect'],
      history: [
        { previous: 'connecting', next: 'disconnected', reason: 'stocktaking', actor: expect.stringMatching(/^key/) },
        { previous: 'disconnected', next: 'connecting' },
      ],
    });
    expect(() => accountStatusSchema.parse(status)).not.toThrow();
  });

  it.each(['/accounts', '/settings/whatsapp-accounts'])(
    'reach a linked phone’s provider, and tell beside the reason when it is away: %s',
    async (path) => {
      const { id } = await add({
        provider: 'evolution',
        settings: { instance: `shop-${path.length}`, baseUrl: 'http://127.0.0.1:9' },
        secrets: { apiKey: 'k' },
      });
      const act = (name: string, body?: unknown) =>
        world.ask('POST', `${path === '/accounts' ? '/api/v1' : ''}${path}/${id}/${name}`, { headers, body });
      const told = async () => (await ask('GET', `/accounts/${id}`)).json();
      await act('reconnect');
      expect(await told()).toMatchObject({ status: 'error', statusDetail: 'the provider refused the connection' });
      await act('disconnect', path === '/accounts' ? { reason: 'stocktaking' } : undefined);
      const { status, statusDetail } = await told();
      expect(status).toBe('disconnected');
      expect(statusDetail).toMatch(path === '/accounts' ? /^stocktaking; not logged out at/ : /^not logged out at/);
    },
  );

  it('are written to the audit log', async () => {
    const { id } = await add();
    await ask('POST', `/accounts/${id}/reconnect`);
    const rows = await world.db.ownerQuery('SELECT action FROM audit_log WHERE workspace_id = $1 AND resource = $2', [
      workspaceId,
      `account ${id}`,
    ]);
    expect(rows.map(({ action }) => action)).toContain('reconnect');
  });

  it('say when the plan has no room', async () => {
    await world.db.ownerQuery(
      `UPDATE workspaces SET settings = '{"maxConnectedAccounts": 0}' WHERE workspace_id = $1`,
      [workspaceId],
    );
    const { id } = await add();
    expect((await ask('POST', `/accounts/${id}/reconnect`)).json()).toMatchObject({
      status: 409,
      code: 'account-limit',
    });
  });
});

describe('health and statistics', () => {
  it('explain themselves', async () => {
    const { id } = await add();
    const health = (await ask('GET', `/accounts/${id}/health`)).json();
    expect(health).toMatchObject({ score: 50, isHealthy: false, signals: expect.arrayContaining([]) });
    expect(health.signals).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'connection', points: 50, nextStep: expect.any(String) }),
        expect.objectContaining({ code: 'webhook-inactive', level: 'warning' }),
      ]),
    );
    expect(() => accountHealthSchema.parse(health)).not.toThrow();
    const statistics = accountStatisticsSchema.parse((await ask('GET', `/accounts/${id}/statistics`)).json());
    expect(statistics.buckets.length).toBeGreaterThanOrEqual(24);
    expect(statistics.rates).toEqual({ delivery: null, read: null });
    const days = accountStatisticsSchema.parse(
      (await ask('GET', `/accounts/${id}/statistics?by=day&timeZone=Europe/Madrid`)).json(),
    );
    expect(days.buckets.length).toBeGreaterThanOrEqual(30);
  });

  it.each([
    ['a range that is too long', 'from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z', '/from'],
    ['a range from its end', 'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', '/from'],
    ['a place that has no time', 'timeZone=Nowhere/Land', '/timeZone'],
    ['a statement for a time zone', `timeZone=${encodeURIComponent("UTC'; DROP TABLE")}`, '/timeZone'],
    ['a unit of its own', 'by=second', '/by'],
    ['a key that there is not', 'colour=red', '/'],
  ])('refuse %s', async (_name, query, path) => {
    const { id } = await add();
    const answer = await ask('GET', `/accounts/${id}/statistics?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.json<{ errors: { path: string }[] }>().errors[0]?.path.startsWith(path)).toBe(true);
  });
});

it('the calendar tells what ends, to those who may see tokens', async () => {
  const endsAt = new Date(Date.now() + 5 * 86_400_000).toISOString();
  const { id, name } = await add({ secretEnds: { accessToken: endsAt } });
  expect((await ask('GET', '/ends')).json()).toEqual({
    data: [{ kind: 'secret', accountId: id, accountName: name, name: 'accessToken', endsAt, state: 'soon' }],
    nextCursor: null,
  });
  const agent = await (await world.addPerson(workspaceId, 'agent')).logIn();
  expect((await world.ask('GET', '/api/v1/ends', { headers: agent })).status).toBe(403);
});

it('what accounts are made of is told once for every provider', async () => {
  const { data } = pageOf(providerSchema).parse((await ask('GET', '/providers')).json());
  expect(data.map(({ provider }) => provider)).toEqual(providers);
  for (const { settings, secrets, webhookEvents } of data) {
    expect(secrets.some(({ isRequired }) => isRequired)).toBe(true);
    expect(settings.map(({ name }) => name)).toContain('messagesPerSecond');
    expect(webhookEvents.length).toBeGreaterThan(0);
    for (const { label, hint } of [...settings, ...secrets]) expect(label && hint).toBeTruthy();
  }
});

describe('a wrong body', () => {
  it.each([
    ['POST', '/accounts', { isDeleted: true }],
    ['POST', '/accounts', { workspaceId: 'x' }],
    ['POST', '/accounts', { connectionStatus: 'connected' }],
    ['POST', '/accounts', { metadata: { deep: { er: 1 } } }],
    ['POST', '/accounts', { secretEnds: { accessToken: 'tomorrow' } }],
    ['PATCH', '/accounts/:id', { provider: 'twilio' }],
    ['PATCH', '/accounts/:id', { isPrimary: true }],
    ['PATCH', '/accounts/:id', { createdBy: 'x' }],
    ['POST', '/accounts/:id/disconnect', { status: 'connected' }],
    ['POST', '/accounts/:id/reconnect', { force: true }],
    ['POST', '/accounts/:id/restore', { isActive: true }],
  ])('of %s %s with %j is refused and changes nothing', async (method, path, wrong) => {
    const { id } = await add();
    const body = method === 'POST' && path === '/accounts' ? { ...metaAccount(), ...wrong } : wrong;
    const before = (await ask('GET', '/accounts')).text;
    expect((await ask(method, path.replace(':id', id), body)).status).toBe(400);
    expect((await ask('GET', '/accounts')).text).toBe(before);
  });
});
