/**
 * Orders, reminders, campaigns and the copying of a migration have no rooms yet. What they will stand on has: here four small
 * works use it, in processes that are killed between their steps at seeded places and started again. None is lost, none double.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog, systemClock } from '#kernel';
import { createPressureWatch } from '#monitoring';
import { prepareJobs, roleNames } from '#storage';
import { type DispatchWorld, eventually, openDispatchWorld } from '../outbox/dispatch-world.ts';
import { addPlace, type Conversation, text } from '../outbox/world.ts';
import { type Life, startLife } from './started-life.ts';
import { type Blow, type Kind, kinds, places, planCampaign, tables, type Workshop } from './works.ts';

const seed = 20_261_122;

const compiled = mkdtempSync(join(tmpdir(), 'switchyard-compiled-'));
let world: DispatchWorld;
let shop: Conversation;
let rounds = 0;
/** What is to come of all that was asked for. */
const wanted = { orders: [] as string[], reminders: [] as string[], recipients: 0, rows: 0 };

beforeAll(async () => {
  world = await openDispatchWorld();
  shop = await addPlace(world);
  await prepareJobs(world.db.ownerUrl, [roleNames.app]);
  await world.db.ownerQuery(tables);
  await world.db.ownerQuery(
    `INSERT INTO synthetic_checkpoints (workspace_id, work) VALUES ('${shop.workspaceId}', 'campaign'), ('${shop.workspaceId}', 'copy');
     INSERT INTO synthetic_numbers VALUES ('${shop.workspaceId}', 0);
     INSERT INTO synthetic_reminders VALUES ('${shop.workspaceId}', 'not yet', gen_random_uuid(), now() + interval '1 hour')`,
  );
  await liveThrough(blowsOf(seed));
  world.start();
  await eventually(async () =>
    expect(await world.db.ownerQuery(`SELECT id FROM outbox WHERE state IN ('queued', 'claimed', 'sending')`)).toEqual(
      [],
    ),
  );
  await world.rest();
}, 180_000);
afterAll(async () => {
  await world?.close();
  rmSync(compiled, { recursive: true, force: true });
});

const sent = (beginning: string) =>
  world.provider.ledger.map((send) => send.text).filter((words) => words.startsWith(beginning));

test('an order that was tapped twice is one order with one number and one confirmation', async () => {
  const orders = await world.db.ownerQuery<{ key: string; number: number }>('SELECT key, number FROM synthetic_orders');
  expect(orders.map(({ key }) => key).sort()).toEqual(wanted.orders.toSorted());
  expect(orders.map(({ number }) => number).sort((a, b) => a - b)).toEqual(orders.map((_, index) => index + 1));
  expect(sent('order').sort()).toEqual(orders.map(({ key, number }) => `order ${key} is number ${number}`).sort());
});

test('a reminder is sent once, by whichever of two schedulers, and not before it is due', async () => {
  expect(sent('reminder').sort()).toEqual(wanted.reminders.toSorted());
  const open = await world.db.ownerQuery(`SELECT name FROM synthetic_reminders WHERE state = 'scheduled'`);
  expect(open).toEqual([{ name: 'not yet' }]);
});

test('a campaign reaches each recipient once, also when its planner was paused and woke up again', () => {
  const everybody = Array.from({ length: wanted.recipients }, (_, index) => `campaign to ${index + 1}`);
  expect(sent('campaign').sort()).toEqual(everybody.toSorted());
});

test('a copy has every row of its source once', async () => {
  const [copied] = await world.db.ownerQuery(
    `SELECT count(*)::int AS rows, count(DISTINCT key)::int AS keys, max(key) AS last FROM synthetic_target`,
  );
  expect(copied).toEqual({ rows: wanted.rows, keys: wanted.rows, last: wanted.rows });
});

test('a campaign stands still under pressure, planned and queued, while live replies go', async () => {
  const { storage } = world.db;
  const watch = createPressureWatch({
    ...{ storage, dataFolder: null, clock: systemClock, log: silentLog, lookEveryMs: 20 },
  });
  let asked = 0;
  const pressure: Workshop['pressure'] = {
    async mayGoOn(lane, signal) {
      asked += 1;
      if (asked === 2) await press(watch);
      return watch.mayGoOn(lane, signal);
    },
  };
  const before = wanted.recipients;
  await addRecipients(6);
  const { outbox } = world;
  const planned = planCampaign({ ...shop, storage, outbox, pressure, strike: () => {} }, new AbortController().signal);
  try {
    await eventually(() => expect(watch.held).toContain('campaign'));
    world.start({ heldLanes: () => watch.held });
    await world.queue(await addPlace(world), { content: text('a live reply') });
    await eventually(() => expect(sent('a live reply')).toHaveLength(1));
    expect(sent('campaign')).toHaveLength(before);
    const queued = await world.db.ownerQuery(`SELECT id FROM outbox WHERE lane = 'campaign' AND state = 'queued'`);
    expect(queued).toHaveLength(3);
  } finally {
    await world.db.ownerQuery('DELETE FROM arrivals');
    await planned;
  }
  await eventually(() => expect(new Set(sent('campaign')).size).toBe(wanted.recipients));
  expect(sent('campaign')).toHaveLength(wanted.recipients);
  await watch.stop();
});

async function press(watch: ReturnType<typeof createPressureWatch>): Promise<void> {
  await world.db.ownerQuery(`INSERT INTO arrivals (delivery_count, origins, deliveries, bodies, arrived_at)
    VALUES (1, '[]', '[]', '', now() - interval '20 seconds')`);
  watch.start();
  await eventually(() => expect(watch.held).toContain('campaign'));
}

/** Each place once, in an order and at a pass of the seed's. */
function blowsOf(from: number): Blow[] {
  const shuffled = fc.shuffledSubarray([...places], { minLength: places.length });
  const passes = fc.array(fc.integer({ min: 1, max: 2 }), { minLength: places.length, maxLength: places.length });
  const [[order, at] = [[], []]] = fc.sample(fc.tuple(shuffled, passes), { seed: from, numRuns: 1 });
  return order.map((place, index) => ({ place, pass: at[index]!, how: 'SIGKILL' }));
}

/**
 * One process after the other is killed, each in the middle of fresh work of the kind that it does. Another one is frozen over
 * the campaign; two at once finish all four kinds; then it wakes up.
 */
async function liveThrough(blows: readonly Blow[]): Promise<void> {
  const { urls } = world.db;
  const begin = () => startLife({ urls, workspaceId: shop.workspaceId, accountId: shop.accountId }, compiled);
  // One is always made ready while another works.
  const lives = [begin(), begin()];
  const begun = [...lives];
  const nextLife = () => {
    const fresh = begin();
    lives.push(fresh);
    begun.push(fresh);
    return lives.shift()!;
  };
  try {
    for (const blow of blows) {
      const struck = await strikeDown(nextLife(), blow);
      expect([struck.signal, struck.words]).toEqual(['SIGKILL', `${blow.place}\n`]);
    }
    const frozen = nextLife();
    await addWork('campaign');
    await frozen.go({ kinds: ['campaign'], blow: { place: 'campaign.committed', pass: 1, how: 'SIGSTOP' } });
    await frozen.struck;
    for (const kind of kinds) await addWork(kind);
    const pair = lives.slice(0, 2);
    await Promise.all(pair.map((life) => life.go({ kinds, blow: null })));
    await eventually(async () => expect(await openWork()).toEqual([]), 30_000);
    frozen.child.kill('SIGCONT');
    for (const life of [frozen, ...pair]) expect(await life.stop()).toBe(0);
  } finally {
    for (const { child } of begun) child.kill('SIGKILL');
    await Promise.all(begun.map(({ ended }) => ended));
  }
}

async function strikeDown(life: Life, blow: Blow) {
  const kind = blow.place.split('.')[0] as Kind;
  await addWork(kind);
  await life.go({ kinds: [kind], blow });
  return life.ended;
}

/** What has not been done yet, in words. */
async function openWork(): Promise<readonly string[]> {
  const [left] = await world.db.ownerQuery<Record<string, boolean>>(
    `SELECT (SELECT count(*) FROM synthetic_orders WHERE number IS NOT NULL) < $1 AS orders,
       EXISTS (SELECT 1 FROM synthetic_reminders WHERE state = 'scheduled' AND name <> 'not yet') AS reminders,
       (SELECT after_key FROM synthetic_checkpoints WHERE work = 'campaign') < $2 AS campaign,
       (SELECT after_key FROM synthetic_checkpoints WHERE work = 'copy') < $3 AS copy`,
    [wanted.orders.length, wanted.recipients, wanted.rows],
  );
  const queues = await Promise.all(
    (['order-processing', 'campaigns', 'migrations'] as const).map(async (queue) => {
      const { waiting, active, delayed, failed } = await world.engines.jobs.counts(queue);
      return waiting + active + delayed + failed > 0 ? [queue] : [];
    }),
  );
  return [...Object.keys(left!).filter((name) => left![name]), ...queues.flat()];
}

async function addWork(kind: Kind): Promise<void> {
  rounds += 1;
  switch (kind) {
    case 'order':
      return addOrders(4);
    case 'reminder':
      return addReminders(7);
    case 'campaign':
      await addRecipients(9);
      return world.engines.jobs.enqueue('campaigns', { name: 'plan', id: `plan-${rounds}`, payload: null });
    case 'copy':
      await addRows(9);
      return world.engines.jobs.enqueue('migrations', { name: 'copy', id: `copy-${rounds}`, payload: null });
    default: {
      const never: never = kind;
      return never;
    }
  }
}

/** Each of them is tapped twice: two jobs of one key. */
async function addOrders(count: number): Promise<void> {
  for (const [index, conversationId] of (await converse(count)).entries()) {
    const key = `${rounds}-${index}`;
    wanted.orders.push(key);
    const tap = (finger: string) =>
      world.engines.jobs.enqueue('order-processing', {
        ...{ name: 'take', id: `tap-${key}-${finger}` },
        payload: { key, conversationId },
      });
    await Promise.all([tap('first'), tap('second')]);
  }
}

/** Some are due now, some in a moment; each was asked for twice. */
async function addReminders(count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `reminder ${rounds}-${index}`);
  wanted.reminders.push(...names);
  await world.db.ownerQuery(
    `INSERT INTO synthetic_reminders (workspace_id, name, conversation_id, due_at)
       SELECT $1, r.name, r.conversation, date_trunc('second', now()) + r.place % 2 * interval '1 second'
         FROM unnest($2::text[], $3::uuid[]) WITH ORDINALITY AS r (name, conversation, place), generate_series(1, 2)
       ON CONFLICT DO NOTHING`,
    [shop.workspaceId, names, await converse(count)],
  );
}

async function addRecipients(count: number): Promise<void> {
  await world.db.ownerQuery(
    `INSERT INTO synthetic_recipients SELECT $1, $2 + place, conversation
       FROM unnest($3::uuid[]) WITH ORDINALITY AS r (conversation, place)`,
    [shop.workspaceId, wanted.recipients, await converse(count)],
  );
  wanted.recipients += count;
}

async function addRows(count: number): Promise<void> {
  await world.db.ownerQuery(
    `INSERT INTO synthetic_source SELECT $1, key, 'row ' || key FROM generate_series($2::int + 1, $2::int + $3::int) AS key`,
    [shop.workspaceId, wanted.rows, count],
  );
  wanted.rows += count;
}

/** New customers, each with a conversation. */
async function converse(count: number): Promise<readonly string[]> {
  const rows = await world.db.ownerQuery<{ id: string }>(
    `WITH met AS (INSERT INTO contacts (workspace_id, id) SELECT $1, gen_random_uuid() FROM generate_series(1, $3) RETURNING id)
     INSERT INTO conversations (workspace_id, id, account_id, contact_id, address, last_inbound_at)
       SELECT $1, gen_random_uuid(), $2, met.id, '[{"kind": "phone", "value": "+34600000001"}]', now() FROM met RETURNING id`,
    [shop.workspaceId, shop.accountId, count],
  );
  return rows.map(({ id }) => id);
}
