/** What is told of accounts: statistics, health, ends, and the views for psql. */
import { randomBytes } from 'node:crypto';
import type { AccountId, ConversationId, WorkspaceId } from '@switchyard/contract';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fixedClock, newId } from '#kernel';
import {
  credentialLimits,
  listEnds,
  loadHealth,
  loadStatistics,
  type StatisticsRange,
  watchCredentials,
} from '#monitoring';
import { firstIdOf } from '#storage';
import { openWorld, type World } from '../gateway/world.ts';

let world: World;
let workspaceId: WorkspaceId;
let accountId: AccountId;
let ids = 400_000;

const noon = new Date('2026-03-10T12:00:00Z');
const minutesAfter = (minutes: number) => new Date(noon.getTime() + minutes * 60_000);

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  workspaceId = await addWorkspace();
  accountId = await addAccount();
});

async function addWorkspace(): Promise<WorkspaceId> {
  const made = await world.workspaces.create(`Shop ${newId('workspace')}`);
  if (!made.ok) throw new Error(made.refusal.code);
  return made.value.id;
}

async function addAccount(more: object = {}): Promise<AccountId> {
  const account = {
    provider: 'meta',
    settings: { phoneNumberId: String(ids++) },
    secrets: { accessToken: 'x' },
  } as const;
  const made = await world.accounts.create(workspaceId, { ...account, isActive: true, ...more });
  if (!made.ok) throw new Error(made.refusal.code);
  return made.value.account.id;
}

/** An id as it would have been drawn then. */
function idAt(at: Date): string {
  const tail = randomBytes(8).toString('hex');
  return `${firstIdOf(at.getTime()).slice(0, 14)}7${tail.slice(0, 3)}-8${tail.slice(3, 6)}-${randomBytes(6).toString('hex')}`;
}

async function addConversation(at: Date, account = accountId): Promise<ConversationId> {
  const contact = idAt(at);
  const id = idAt(at);
  await world.db.ownerQuery('INSERT INTO contacts (workspace_id, id) VALUES ($1, $2)', [workspaceId, contact]);
  await world.db.ownerQuery(
    'INSERT INTO conversations (workspace_id, id, account_id, contact_id, created_at) VALUES ($1, $2, $3, $4, $5)',
    [workspaceId, id, account, contact, at],
  );
  return id as ConversationId;
}

async function say(conversationId: ConversationId, at: Date, more: Record<string, unknown> = {}): Promise<void> {
  const isIn = more.direction !== 'out';
  const row: Record<string, unknown> = {
    workspace_id: workspaceId,
    id: idAt(at),
    conversation_id: conversationId,
    account_id: accountId,
    direction: 'in',
    author: isIn ? 'customer' : 'bot',
    type: 'text',
    content: '{}',
    status: isIn ? 'received' : 'sent',
    occurred_at: at,
    created_at: at,
    ...more,
  };
  await insert('messages', row);
}

async function insert(table: string, row: Record<string, unknown>): Promise<void> {
  const names = Object.keys(row);
  await world.db.ownerQuery(
    `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  );
}

async function deliver(at: Date, more: Record<string, unknown> = {}): Promise<string> {
  const id = idAt(at);
  await insert('deliveries', {
    workspace_id: workspaceId,
    id,
    account_id: accountId,
    provider: 'meta',
    route_kind: 'token',
    method: 'POST',
    target: '/',
    headers: '{}',
    body: Buffer.from('{}'),
    received_at: at,
    ...more,
  });
  return id;
}

function statistics(range: Partial<StatisticsRange> = {}) {
  const whole = { from: minutesAfter(-120), to: minutesAfter(120), by: 'hour', timeZone: 'UTC', ...range } as const;
  return world.db.storage.inWorkspace(workspaceId, (tx) => loadStatistics(tx, accountId, whole));
}

const out = (status: string, more: object = {}) => ({ direction: 'out', status, ...more });

describe('statistics', () => {
  it('count what came and went by the hour, and fill the hours without', async () => {
    const conversation = await addConversation(noon);
    await say(conversation, minutesAfter(1));
    await say(conversation, minutesAfter(2), out('delivered'));
    await say(conversation, minutesAfter(61), out('read'));
    await say(conversation, minutesAfter(62), out('failed', { error: '{"code":"refused","providerCode":"131047"}' }));
    await deliver(minutesAfter(1));
    await deliver(minutesAfter(2), { is_authenticated: false });
    const { buckets, totals, rates, errors, webhooks, conversations } = await statistics();
    expect(
      buckets.map(({ at, received, sent, failed, webhooks: came }) => [at.toISOString(), received, sent, failed, came]),
    ).toEqual([
      ['2026-03-10T10:00:00.000Z', 0, 0, 0, 0],
      ['2026-03-10T11:00:00.000Z', 0, 0, 0, 0],
      ['2026-03-10T12:00:00.000Z', 1, 1, 0, 2],
      ['2026-03-10T13:00:00.000Z', 0, 1, 1, 0],
    ]);
    expect(totals).toMatchObject({ received: 1, sent: 2, delivered: 2, read: 1, failed: 1, uncertain: 0 });
    expect(rates.delivery).toBeCloseTo(2 / 3);
    expect(rates.read).toBeCloseTo(1 / 2);
    expect(errors).toMatchObject([{ code: '131047', count: 1 }]);
    expect(webhooks).toEqual({ received: 2, unauthenticated: 1, deadLetters: 0 });
    expect(conversations).toEqual({ active: 1, begun: 1 });
  });

  it('are those of the account and the range, without history and tests', async () => {
    const conversation = await addConversation(minutesAfter(-500));
    await say(conversation, minutesAfter(-121));
    await say(conversation, minutesAfter(120));
    await say(conversation, noon, { is_history: true });
    await say(conversation, noon, { is_test: true });
    await deliver(noon, { is_test: true });
    const other = await addAccount();
    await say(await addConversation(noon, other), noon, { account_id: other });
    const { totals, conversations } = await statistics();
    expect(Object.values(totals)).toEqual(Object.values(totals).map(() => 0));
    expect(conversations).toEqual({ active: 0, begun: 0 });
  });

  it('have no rate where nothing was sent', async () => {
    expect(await statistics()).toMatchObject({ rates: { delivery: null, read: null }, errors: [], responses: [] });
  });

  it('measure from the first message that waited to its first answer, for the bot and for people', async () => {
    const one = await addConversation(noon);
    await say(one, minutesAfter(0));
    await say(one, minutesAfter(1));
    await say(one, minutesAfter(2), out('sent'));
    await say(one, minutesAfter(3), out('sent'));
    const two = await addConversation(noon);
    await say(two, minutesAfter(0), out('sent', { author: 'campaign' }));
    await say(two, minutesAfter(10));
    await say(two, minutesAfter(20), out('sent', { author: 'person' }));
    await say(two, minutesAfter(30));
    expect((await statistics()).responses).toEqual([
      { author: 'bot', count: 1, medianMs: 120_000, p95Ms: 120_000 },
      { author: 'person', count: 1, medianMs: 600_000, p95Ms: 600_000 },
    ]);
  });

  it('measure from the arrival to the end of the send where both are known', async () => {
    const conversation = await addConversation(noon);
    const eventId = idAt(noon);
    const seconds = (count: number) => new Date(noon.getTime() + count * 1_000);
    await insert('events', {
      ...{ workspace_id: workspaceId, account_id: accountId, id: eventId, delivery_id: idAt(noon), ordinal: 0 },
      ...{ kind: 'message', type: 'text', key: 'k', payload: '{}', received_at: seconds(-2), state: 'handled' },
      ...{ position: 1, after_position: 0 },
    });
    await say(conversation, noon, { event_id: eventId, id: '019cd79e-4600-7000-8000-000000000001' });
    const answer = '019cd79e-4600-7000-8000-000000000002';
    await say(conversation, noon, out('sent', { id: answer }));
    await insert('outbox', {
      ...{ workspace_id: workspaceId, account_id: accountId, id: idAt(noon), conversation_id: conversation },
      ...{ message_id: answer, ordinal: 1, content: '{}', state: 'sent', settled_at: seconds(3) },
    });
    expect((await statistics()).responses).toMatchObject([{ author: 'bot', count: 1, medianMs: 5_000 }]);
  });

  it('by the day are by the day of the time zone, also where a day has 23 hours', async () => {
    const conversation = await addConversation(noon);
    const lateEvening = new Date('2026-03-28T23:30:00Z');
    await say(conversation, lateEvening);
    const { buckets } = await statistics({
      from: new Date('2026-03-27T23:00:00Z'),
      to: new Date('2026-03-30T22:00:00Z'),
      by: 'day',
      timeZone: 'Europe/Madrid',
    });
    expect(buckets.map(({ at, received }) => [at.toISOString(), received])).toEqual([
      ['2026-03-27T23:00:00.000Z', 0],
      ['2026-03-28T23:00:00.000Z', 1],
      ['2026-03-29T22:00:00.000Z', 0],
    ]);
  });

  it('are read by the keys of the range, not by going through the tables', async () => {
    const client = new pg.Client({ connectionString: world.db.superuserUrl });
    await client.connect();
    try {
      await client.query(`SET search_path = switchyard; SET enable_seqscan = off`);
      for (const table of ['messages', 'deliveries', 'conversations', 'events']) {
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(
          `EXPLAIN SELECT count(*) FROM ${table} WHERE workspace_id = '${workspaceId}' AND id >= '${firstIdOf(noon.getTime())}'`,
        );
        expect(rows.map((row) => row['QUERY PLAN']).join('\n'), table).toMatch(/Index.*[\s\S]*id >= /);
      }
    } finally {
      await client.end();
    }
  });
});

describe('health', () => {
  const healthAt = async (now: Date) => {
    const account = await world.accounts.find(workspaceId, accountId);
    const found = await world.db.storage.inWorkspace(workspaceId, (tx) =>
      loadHealth(tx, account ? [account] : [], now),
    );
    return found.get(accountId);
  };
  const codes = async (now: Date) =>
    (await healthAt(now))?.signals.filter(({ level }) => level !== 'good').map(({ code }) => code);

  it('takes ten off for each send that failed in the last hour, and names the codes', async () => {
    const conversation = await addConversation(noon);
    const failed = (at: Date) => say(conversation, at, out('failed', { error: '{"code":"131026"}', status_at: at }));
    for (let count = 0; count < 20; count += 1) await say(conversation, minutesAfter(-90), out('delivered'));
    await failed(minutesAfter(-90));
    await failed(minutesAfter(-30));
    await failed(minutesAfter(-20));
    const health = await healthAt(noon);
    expect(health).toMatchObject({ score: 30, isHealthy: false });
    expect(health?.signals.find(({ kind }) => kind === 'errors')?.facts).toEqual({ percent: 13, codes: '131026 ×3' });
  });

  it('sees reconnects, lag, a wanted event that is not sent, and what the provider told', async () => {
    const move = (act: 'connect' | 'disconnect') =>
      world.accounts.moveConnection(workspaceId, accountId, { act, actor: 'person per_1' });
    for (let count = 0; count < 3; count += 1) {
      await move('connect');
      await move('disconnect');
    }
    await world.accounts.noteSubscription(workspaceId, accountId, { events: ['messages'] });
    const facts = { event: 'FLAGGED', current_limit: 'TIER_250' };
    const event = {
      kind: 'account',
      type: 'quality',
      name: 'phone_number_quality_update',
      key: 'k',
      occurredAt: null,
      bindings: [],
      path: '',
      facts,
    } as const;
    await world.db.storage.inWorkspace(workspaceId, (tx) => world.accounts.applyEvent(tx, accountId, event));
    const serving = await world.accounts.findServing(workspaceId, accountId);
    if (!serving) throw new Error('not there');
    world.accounts.noteWebhook(serving);
    await world.accounts.flush();
    const now = new Date();
    await insert('events', {
      workspace_id: workspaceId,
      id: idAt(now),
      delivery_id: idAt(now),
      account_id: accountId,
      ordinal: 0,
      kind: 'message',
      type: 'text',
      key: 'k',
      payload: '{}',
      occurred_at: new Date(now.getTime() - 120_000),
      received_at: now,
      position: 1,
      after_position: 0,
      state: 'handled',
    });
    expect(await codes(new Date())).toEqual([
      'disconnected',
      'quality-flagged',
      'events-missing',
      'reconnects',
      'webhook-lag',
    ]);
  });

  it('is of the workspace’s own accounts', async () => {
    const account = await world.accounts.find(workspaceId, accountId);
    workspaceId = await addWorkspace();
    const found = await world.db.storage.inWorkspace(workspaceId, (tx) =>
      loadHealth(tx, account ? [account] : [], noon),
    );
    expect(found.get(accountId)?.signals.find(({ kind }) => kind === 'reconnects')).toBeUndefined();
  });
});

describe('the calendar of ends', () => {
  it('tells secrets, replaced tokens and keys, soonest first, and warns 14 days before', async () => {
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);
    await world.accounts.update(workspaceId, accountId, { secretEnds: { accessToken: inDays(13) } });
    await world.accounts.rotateToken(workspaceId, accountId);
    await world.workspaces.createApiKey(workspaceId, { name: 'nightly', scopes: ['read'], expiresAt: inDays(15) });
    await addAccount({ secretEnds: { accessToken: inDays(-400) } });
    const ends = await world.db.storage.inWorkspace(workspaceId, (tx) => listEnds(tx, new Date()));
    expect(ends.map(({ kind, name, state }) => `${kind} ${name} ${state}`)).toEqual([
      'secret accessToken ended',
      'webhook-token webhook token soon',
      'secret accessToken soon',
      'api-key nightly later',
    ]);
    const elsewhere = await addWorkspace();
    expect(await world.db.storage.inWorkspace(elsewhere, (tx) => listEnds(tx, new Date()))).toEqual([]);
  });
});

describe('the views for psql', () => {
  /** As the tenants' role, with a workspace or without. */
  async function look<Row extends object>(text: string, workspace: WorkspaceId | null): Promise<Row[]> {
    const client = new pg.Client({ connectionString: world.db.urls.app });
    await client.connect();
    try {
      await client.query('SET search_path = switchyard');
      if (workspace) await client.query(`SELECT set_config('app.workspace', $1, false)`, [workspace]);
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  it('count the webhooks of a workspace, and 0 for an account without any', async () => {
    await world.accounts.update(workspaceId, accountId, { businessName: 'North' });
    expect(await look('SELECT * FROM webhook_stats_by_user', workspaceId)).toEqual([
      {
        user_id: workspaceId,
        email: null,
        platform: 'whatsapp',
        business_name: 'North',
        total_webhooks: '0',
        processed_webhooks: '0',
        error_webhooks: '0',
        avg_processing_time_ms: null,
        last_webhook_at: null,
      },
    ]);
    const handled = await deliver(noon);
    const event = {
      workspace_id: workspaceId,
      account_id: accountId,
      ordinal: 0,
      kind: 'message',
      type: 'text',
      key: 'k',
      payload: '{}',
      received_at: noon,
      position: 1,
      after_position: 0,
    };
    await insert('events', {
      ...event,
      id: idAt(noon),
      delivery_id: handled,
      state: 'handled',
      settled_at: minutesAfter(1),
    });
    const dead = await deliver(minutesAfter(5));
    await insert('dead_letters', {
      workspace_id: workspaceId,
      id: idAt(noon),
      account_id: accountId,
      delivery_id: dead,
      reason: 'unreadable',
      detail: 'x',
    });
    await deliver(minutesAfter(6));
    expect(await look('SELECT * FROM webhook_stats_by_workspace', workspaceId)).toMatchObject([
      {
        workspace_id: workspaceId,
        total_webhooks: '3',
        processed_webhooks: '1',
        error_webhooks: '1',
        last_webhook_at: minutesAfter(6),
      },
    ]);
    const [{ avg_processing_time_ms: average } = { avg_processing_time_ms: '' }] = await look<{
      avg_processing_time_ms: string;
    }>('SELECT * FROM webhook_stats_by_user', workspaceId);
    expect(Number(average)).toBe(60_000);
  });

  it('list the accounts that are served, with whose they are and without a secret', async () => {
    await world.accounts.update(workspaceId, accountId, { secrets: { accessToken: 'a canary' } });
    await addAccount({ isActive: false });
    const rows = await look<Record<string, unknown>>('SELECT * FROM active_webhook_accounts', workspaceId);
    expect(rows).toMatchObject([
      {
        id: accountId,
        user_id: workspaceId,
        platform: 'whatsapp',
        webhook_status: 'inactive',
        phone_number_id: expect.any(String),
        page_id: null,
      },
    ]);
    expect(JSON.stringify(rows)).not.toContain('canary');
    expect(Object.keys(rows[0]!)).toEqual(
      expect.arrayContaining([
        'email',
        'business_name',
        'display_name',
        'webhook_events',
        'last_webhook_at',
        'created_at',
      ]),
    );
  });

  it('show nobody another workspace, and nobody anything without one', async () => {
    const other = await addWorkspace();
    for (const view of [
      'active_webhook_accounts',
      'webhook_stats_by_workspace',
      'webhook_stats_by_user',
      'webhook_outcomes',
    ]) {
      expect(await look(`SELECT * FROM ${view}`, other)).toEqual([]);
      expect(await look(`SELECT * FROM ${view}`, null)).toEqual([]);
    }
    const options = await world.db.ownerQuery<{ name: string; options: string[] | null }>(
      `SELECT relname AS name, reloptions AS options FROM pg_class
       WHERE relkind = 'v' AND relnamespace = 'switchyard'::regnamespace`,
    );
    expect(options.length).toBeGreaterThan(0);
    for (const { name, options: of } of options) expect(of, name).toContain('security_invoker=true');
  });
});

describe('credentials that the provider refuses', () => {
  const watch = () =>
    watchCredentials({ storage: world.db.storage, accounts: world.accounts, clock: fixedClock(noon) }, workspaceId);
  const state = async () => (await world.accounts.find(workspaceId, accountId))?.connectionStatus;
  const error = JSON.stringify({ code: 'token-invalid', detail: 'the access token is no longer valid' });

  it('put the account in error once several messages in a row say so; new ones let it try again', async () => {
    const conversation = await addConversation(minutesAfter(-40));
    const fail = (minutes: number) =>
      say(conversation, minutesAfter(minutes), {
        ...{ direction: 'out', status: 'failed', status_at: minutesAfter(minutes), error },
      });
    await say(conversation, minutesAfter(-39), { direction: 'out', status_at: minutesAfter(-39) });
    for (let sent = 1; sent < credentialLimits.run; sent += 1) await fail(-30 + sent);
    await watch();
    expect(await state()).toBe('disconnected');
    await fail(-20);
    await watch();
    expect(await world.accounts.find(workspaceId, accountId)).toMatchObject({
      connectionStatus: 'error',
      connectionError: 'the provider refuses the credentials: the access token is no longer valid',
    });
    await world.accounts.update(workspaceId, accountId, { name: 'Renamed' });
    expect(await state()).toBe('error');
    await world.accounts.update(workspaceId, accountId, { secrets: { accessToken: 'new' } });
    expect(await state()).toBe('connecting');
  });
});
