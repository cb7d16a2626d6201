/** The sweep of parked events: what it looks at, whatever else is parked, and that no workspace holds up another. */
import type { AccountId, EventId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { releaseParked } from '#inbox';
import { silentLog, systemClock } from '#kernel';
import { type Storage, StorageUnavailable, type WorkspaceTx } from '#storage';
import { createParkedSweep, parkedLimits } from '../../src/inbox/parked.ts';
import { findPassed, findWorkspacesWithParked, maxLockedParked } from '../../src/inbox/parked-store.ts';
import { querying } from './querying.ts';
import { type InboxWorld, listeningLog, openInboxWorld, type Shop } from './world.ts';

let world: InboxWorld;
/** No worker: what is parked here is left alone. */
beforeAll(async () => {
  world = await openInboxWorld();
});
afterAll(() => world.close());

/** Receipts that wait for `waitKey`, or each for a message of its own. */
async function park(shop: Shop, count: number, facts: { readonly ageHours?: number; readonly waitKey?: string } = {}) {
  await world.db.ownerQuery(
    `INSERT INTO events (workspace_id, id, delivery_id, account_id, ordinal, kind, type, key, payload, received_at, position,
       after_position, state, wait_key, created_at)
     SELECT $1, gen_random_uuid(), gen_random_uuid(), $2, 0, 'status', 'read', n::text, '{"kind": "status"}', now(), n, 0, 'parked',
       COALESCE($4, 'wamid.of-another-system.' || n), now() - $5 * interval '1 hour' FROM generate_series(1, $3::int) AS n`,
    [shop.workspaceId, shop.accountId, count, facts.waitKey ?? null, facts.ageHours ?? 0],
  );
}

/** A message of ours has this id by now, and nobody told those that wait for it. */
async function learnUnheard(shop: Shop, providerMessageId: string) {
  await world.db.ownerQuery(
    `WITH contact AS (
       INSERT INTO contacts (workspace_id, id) VALUES ($1, gen_random_uuid()) RETURNING id),
     conversation AS (
       INSERT INTO conversations (workspace_id, id, account_id, contact_id)
       SELECT $1, gen_random_uuid(), $2, id FROM contact RETURNING id)
     INSERT INTO messages (workspace_id, id, conversation_id, account_id, direction, author, type, content,
       provider_message_id, status, occurred_at)
     SELECT $1, gen_random_uuid(), id, $2, 'out', 'bot', 'text', '{"type": "text", "text": "ours"}', $3, 'sent', now()
     FROM conversation`,
    [shop.workspaceId, shop.accountId, providerMessageId],
  );
}

async function statesOf(shop: Shop) {
  const rows = await world.db.ownerQuery<{ state: string; count: number }>(
    'SELECT state, count(*)::int AS count FROM events WHERE workspace_id = $1 GROUP BY state',
    [shop.workspaceId],
  );
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

const applied = async () => ({ kind: 'applied', messageId: 'msg' as never }) as const;
const known = (shop: Shop, providerMessageId: string) => ({ accountId: shop.accountId, providerMessageId });

describe('release', () => {
  it('takes all that wait for a message, however many, each once and in their order', async () => {
    const shop = await world.shop();
    const count = maxLockedParked + 30;
    await park(shop, count, { waitKey: 'wamid.crowd' });
    await park(shop, 1, { waitKey: 'wamid.of-nobody' });
    const heard: EventId[] = [];
    const apply = async (_tx: WorkspaceTx, _accountId: AccountId, eventId: EventId) => {
      heard.push(eventId);
      return applied();
    };
    await world.db.storage.inWorkspace(shop.workspaceId, (tx) =>
      releaseParked(tx, apply, [known(shop, 'wamid.crowd')]),
    );
    expect(await statesOf(shop)).toEqual({ handled: count, parked: 1 });
    const inOrder = await world.db.ownerQuery<{ id: EventId }>(
      `SELECT id FROM events WHERE workspace_id = $1 AND state = 'handled' ORDER BY position, id`,
      [shop.workspaceId],
    );
    expect(heard).toEqual(inOrder.map(({ id }) => id));
  });
});

describe('the sweep', () => {
  it('reads what was parked lately by an index of its own, however much is parked', async () => {
    const shop = await world.shop();
    await park(shop, 3_000, { ageHours: 30 });
    await park(shop, 5);
    await world.db.ownerQuery('ANALYZE events, messages');
    const limits = { limit: parkedLimits.lookedAtOnce, ...parkedLimits };
    const passing = await world.db.storage.inWorkspace(
      shop.workspaceId,
      (tx) => planOf((explained) => findPassed({ ...tx, query: explained }, limits), tx.query.bind(tx)),
      'by-key',
    );
    expect(passing).toMatch(/Index Scan Backward using events_parked_since/);
    expect(passing).not.toMatch(/Seq Scan/);
    expect(rowsReadOf(passing, 'events_parked_since')).toBeLessThanOrEqual(5);

    const { storage } = world.db;
    const finding = await planOf(
      (explained) => findWorkspacesWithParked({ ...storage, workerStatement: explained as never }, parkedLimits),
      (text, values = []) => storage.workerStatement(text, values, 'explain'),
    );
    expect(finding).not.toMatch(/Seq Scan on events/);
    expect(rowsReadOf(finding, 'events_parked_since')).toBeLessThan(20);
  });

  it('looks at all that are parked at its start and once an hour, and else at the latest only', async () => {
    const shop = await world.shop();
    const { lookedAtOnce, lookBackMs, wholeEveryMs, keepDays } = parkedLimits;
    await park(shop, 1, { ageHours: 100, waitKey: 'wamid.passed-before-the-start' });
    await learnUnheard(shop, 'wamid.passed-before-the-start');
    await park(shop, lookedAtOnce, { ageHours: 30 });
    await park(shop, lookedAtOnce, { ageHours: 1 });
    await park(shop, 3);
    const looks: number[] = [];
    const { storage } = world.db;
    const watched = querying(storage, (tx) => (text, values, name) => {
      if (name === 'inbox-find-passed' && tx.workspaceId === shop.workspaceId) looks.push(Number(values?.[3]));
      return tx.query(text, values, name);
    });
    const released: string[] = [];
    const applyReceipt = async (_tx: WorkspaceTx, _accountId: AccountId, eventId: EventId) => {
      released.push(eventId);
      return applied();
    };
    let elapsedMs = 0;
    const clock = { ...systemClock, elapsedMs: () => elapsedMs };
    const loop = createParkedSweep({ storage: watched, clock, applyReceipt, log: silentLog });
    loop.start();
    const nudging = setInterval(() => loop.nudge(), 5);
    try {
      await world.eventually(async () => looks.length >= 6);
      // In portions: 4,004 are more than two of them hold.
      expect(looks.slice(0, 4)).toEqual([...Array(3).fill(keepDays * 86_400_000), lookBackMs]);
      expect(released).toHaveLength(1);
      await park(shop, 1, { ageHours: 20, waitKey: 'wamid.passed-unseen' });
      await learnUnheard(shop, 'wamid.passed-unseen');
      const made = looks.length;
      await world.eventually(async () => looks.length > made + 2);
      expect([released.length, new Set(looks.slice(3))]).toEqual([1, new Set([lookBackMs])]);
      elapsedMs += wholeEveryMs;
      await world.eventually(async () => released.length === 2);
    } finally {
      clearInterval(nudging);
      await loop.stop();
    }
  });

  it('of all that is parked comes again after a minute, then two, until one gets through', async () => {
    const shop = await world.shop();
    const { lookBackMs, wholeEveryMs, wholeAgainMs, keepDays } = parkedLimits;
    await park(shop, 1, { ageHours: 100, waitKey: 'wamid.passed-while-it-failed' });
    await learnUnheard(shop, 'wamid.passed-while-it-failed');
    const { storage } = world.db;
    const looks: number[] = [];
    let fails: 'the look' | 'a workspace' | null = 'the look';
    const failing: Storage = {
      ...storage,
      workerStatement(statement, values, name) {
        looks.push(Number(values?.[0]));
        if (fails === 'the look') return Promise.reject(new StorageUnavailable('away'));
        return storage.workerStatement(statement, values, name);
      },
      inWorkspace: (workspaceId, work, planning) =>
        fails === 'a workspace' && workspaceId === shop.workspaceId
          ? Promise.reject(new StorageUnavailable('away'))
          : storage.inWorkspace(workspaceId, work, planning),
    };
    let elapsedMs = 0;
    const clock = { ...systemClock, elapsedMs: () => elapsedMs };
    const loop = createParkedSweep({ storage: failing, clock, applyReceipt: applied, log: silentLog });
    const [whole, late] = [keepDays * 86_400_000, lookBackMs];
    const looksAfter = async (ms: number) => {
      elapsedMs += ms;
      const from = looks.length;
      await world.eventually(async () => looks.length >= from + 3);
      return looks.slice(from, from + 3);
    };
    loop.start();
    const nudging = setInterval(() => loop.nudge(), 5);
    try {
      await world.eventually(async () => looks.length >= 3);
      expect(looks.slice(0, 3)).toEqual([whole, late, late]);
      fails = 'a workspace';
      expect(await looksAfter(wholeAgainMs)).toEqual([whole, late, late]);
      expect(await looksAfter(wholeAgainMs)).toEqual([late, late, late]);
      fails = null;
      expect(await statesOf(shop)).toEqual({ parked: 1 });
      expect(await looksAfter(wholeAgainMs)).toEqual([whole, late, late]);
      expect(await statesOf(shop)).toEqual({ handled: 1 });
      expect(await looksAfter(wholeEveryMs - 1)).toEqual([late, late, late]);
    } finally {
      clearInterval(nudging);
      await loop.stop();
    }
  });

  it('goes on with the next workspace where one fails, and ends what is overdue in portions', async () => {
    const [failing, next] = [await world.shop(), await world.shop()];
    await park(failing, 2, { ageHours: 8 * 24 + 1 });
    await park(next, parkedLimits.perSweep + 10, { ageHours: 8 * 24 + 1 });
    const { storage } = world.db;
    const log = listeningLog();
    const failsForOne: Storage = {
      ...storage,
      inWorkspace: (workspaceId, work, planning) =>
        workspaceId === failing.workspaceId
          ? Promise.reject(new Error('too much of it'))
          : storage.inWorkspace(workspaceId, work, planning),
    };
    const sweep = createParkedSweep({
      storage: failsForOne,
      clock: systemClock,
      applyReceipt: world.outbox.applyReceipt,
      log,
    });
    sweep.start();
    await world.eventually(async () => (await statesOf(next)).ignored !== undefined);
    await sweep.stop();
    expect(await statesOf(next)).toEqual({ ignored: parkedLimits.perSweep, parked: 10 });
    expect(await statesOf(failing)).toEqual({ parked: 2 });
    expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { facts: { workspaceId: failing.workspaceId, error: 'Error: too much of it' } },
    ]);
  });
});

type Ask = (text: string, values?: readonly unknown[]) => Promise<Record<string, unknown>[]>;

/** How Postgres carries out the one statement of `run`. */
async function planOf(run: (explained: never) => Promise<unknown>, ask: Ask): Promise<string> {
  let plan = '';
  await run((async (text: string, values: readonly unknown[] = []) => {
    const rows = await ask(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ${text}`, values);
    plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    return [];
  }) as never);
  return plan;
}

/** Of all nodes that go by this index. */
function rowsReadOf(plan: string, index: string): number {
  const nodes = [...plan.matchAll(new RegExp(`using ${index} .*actual rows=([\\d.]+) loops=(\\d+)`, 'g'))];
  expect(nodes.length).toBeGreaterThan(0);
  return nodes.reduce((sum, [, rows, loops]) => sum + Number(rows) * Number(loops), 0);
}
