import type { AccountId, DeliveryId, WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLedger, replayDelivery } from '#inbox';
import { newId, silentLog } from '#kernel';
import { createRetention, type Retention } from '#privacy';
import { dropPartitionsBefore, ensurePartitions, firstIdOf } from '#storage';
import { type InboxWorld, openInboxWorld, type Shop } from '../inbox/world.ts';
import { never } from './world.ts';

const dayMs = 86_400_000;
const now = new Date('2026-06-20T12:00:00Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs);

let inbox: InboxWorld;
let retention: Retention;
let shop: Shop;
let serial = 0;

beforeAll(async () => {
  inbox = await openInboxWorld();
  const { db } = inbox;
  for (const days of [40, 20, 5, 0]) await ensurePartitions({ ownerUrl: db.ownerUrl }, daysAgo(days), 1);
  retention = retentionAt(now, now);
});
afterAll(() => inbox.close());
beforeEach(async () => {
  shop = await inbox.shop();
});

function retentionAt(ours: Date, theirs: Date): Retention {
  const { db, workspaces } = inbox;
  return createRetention({
    ...{ storage: db.storage, workspaces, log: silentLog },
    ...{ clock: { now: () => ours, elapsedMs: () => 0 }, databaseNow: async () => theirs },
    dropDays: (before, attemptsBefore) => dropPartitionsBefore({ ownerUrl: db.ownerUrl }, before, attemptsBefore),
  });
}

/** A uuid of version 7 of that moment. */
function idAt(moment: Date): string {
  serial += 1;
  return `${firstIdOf(moment.getTime()).slice(0, 13)}-7000-8000-${String(serial).padStart(12, '0')}`;
}

async function deliveryAt(moment: Date, state = 'normalised'): Promise<string> {
  const id = idAt(moment);
  await inbox.db.ownerQuery(
    `INSERT INTO deliveries (workspace_id, id, account_id, provider, route_kind, method, target, headers, body, received_at)
     VALUES ($1, $2, $3, 'meta', 'token', 'POST', '/webhooks/x?secret=1', '{"a":"b"}', 'a raw body', $4)`,
    [shop.workspaceId, id, shop.accountId, moment],
  );
  await inbox.db.ownerQuery(
    `INSERT INTO inbox (workspace_id, id, shard, position, after_position, state) VALUES ($1, $2, 0, 1, 0, $3)`,
    [shop.workspaceId, id, state],
  );
  return id;
}

async function attemptAt(moment: Date): Promise<string> {
  const id = idAt(moment);
  await inbox.db.ownerQuery(
    `INSERT INTO attempts (workspace_id, id, outbound_id, account_id, number, ended_at) VALUES ($1, $2, $2, $3, 1, $4)`,
    [shop.workspaceId, id, shop.accountId, moment],
  );
  return id;
}

async function raw(id: string): Promise<{ body: string; target: string } | undefined> {
  const [row] = await inbox.db.ownerQuery<{ body: Buffer; target: string }>(
    'SELECT body, target FROM deliveries WHERE id = $1',
    [id],
  );
  return row && { body: row.body.toString(), target: row.target };
}

const hasAttempt = async (id: string) =>
  (await inbox.db.ownerQuery('SELECT FROM attempts WHERE id = $1', [id])).length === 1;

describe('a day', () => {
  test('is dropped whole when the longest policy of all has ended; a shorter one has its own emptied before', async () => {
    const theirs = shop;
    const [kept, gone] = [await deliveryAt(daysAgo(5)), await deliveryAt(daysAgo(20))];
    const [keptTry, goneTry] = [await attemptAt(daysAgo(20)), await attemptAt(daysAgo(40))];
    shop = await inbox.shop();
    const [shorter, fresh] = [await deliveryAt(daysAgo(5)), await deliveryAt(daysAgo(0))];
    const shorterTry = await attemptAt(daysAgo(20));
    await retention.set(shop.workspaceId, { deliveryDays: 3, attemptDays: 10 }, 'test');

    const plan = await retention.plan(shop.workspaceId);
    expect(plan.doomed).toMatchObject({ deliveries: 1, deliveryBytes: 'a raw body'.length, attempts: 1 });
    expect((await retention.plan(theirs.workspaceId)).doomed).toMatchObject({ deliveries: 1, attempts: 1 });

    const run = await retention.run(never);
    expect(run).toMatchObject({ emptiedBodies: 1, deletedAttempts: 1 });
    expect(run.droppedDays).toBeGreaterThanOrEqual(2);
    expect(await raw(kept)).toEqual({ body: 'a raw body', target: '/webhooks/x?secret=1' });
    expect(await raw(gone)).toBeUndefined();
    expect(await raw(shorter)).toEqual({ body: '', target: '/webhooks/x' });
    const replayed = await replayDelivery(inbox.db.storage, shop.workspaceId, shorter as DeliveryId);
    expect(replayed).toMatchObject({ isFound: true, isEmptied: true });
    expect(await raw(fresh)).toMatchObject({ body: 'a raw body' });
    expect([await hasAttempt(keptTry), await hasAttempt(goneTry), await hasAttempt(shorterTry)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await retention.run(never)).toMatchObject({ droppedDays: 0, emptiedBodies: 0, deletedAttempts: 0 });
  });

  test('is kept, whatever the policy, while something of it still waits to be read', async () => {
    await retention.set(shop.workspaceId, { deliveryDays: 1 }, 'test');
    const waiting = await deliveryAt(daysAgo(5), 'stored');
    await retention.run(never);
    expect(await raw(waiting)).toMatchObject({ body: 'a raw body' });
  });
});

test('what erasures took of a delivery is known for as long as a balance may ask, and longer', async () => {
  const [asked, over] = [idAt(daysAgo(80)), idAt(daysAgo(100))];
  for (const id of [asked, over])
    await inbox.db.ownerQuery('INSERT INTO erased_events VALUES ($1, $2, 1)', [shop.workspaceId, id]);
  await retention.run(never);
  const left = await inbox.db.ownerQuery('SELECT delivery_id AS id FROM erased_events WHERE workspace_id = $1', [
    shop.workspaceId,
  ]);
  expect(left).toEqual([{ id: asked }]);
});

describe('keys of events', () => {
  async function keyOf(facts: {
    readonly seenDaysAgo: number;
    readonly hasMessage?: boolean;
    readonly isErased?: boolean;
  }) {
    serial += 1;
    const [eventId, providerId] = [newId('event'), `m.${serial}`];
    const hash = Buffer.alloc(32, serial);
    await inbox.db.ownerQuery(
      `INSERT INTO event_keys (workspace_id, account_id, key_hash, event_id, seen_at, erased_at)
       VALUES ($1, $2, $3, $4, now() - $5 * interval '1 day', CASE WHEN $6 THEN now() END)`,
      [shop.workspaceId, shop.accountId, hash, eventId, facts.seenDaysAgo, facts.isErased ?? false],
    );
    if (facts.hasMessage) await messageOf(shop, eventId, providerId);
    return async () =>
      (
        await inbox.db.ownerQuery('SELECT FROM event_keys WHERE workspace_id = $1 AND key_hash = $2', [
          shop.workspaceId,
          hash,
        ])
      ).length === 1;
  }

  test('go when they are old, but never while their message is here, nor when they are a tombstone', async () => {
    await retention.set(shop.workspaceId, { deliveryDays: 2 }, 'test');
    const young = await keyOf({ seenDaysAgo: 7 });
    const old = await keyOf({ seenDaysAgo: 9 });
    const withMessage = await keyOf({ seenDaysAgo: 400, hasMessage: true });
    const erased = await keyOf({ seenDaysAgo: 400, isErased: true });
    expect(await retention.run(never)).toMatchObject({ deletedKeys: 1 });
    expect([await young(), await old(), await withMessage(), await erased()]).toEqual([true, false, true, true]);
  });

  test('stay as long as the delivery, which may be replayed', async () => {
    await retention.set(shop.workspaceId, { deliveryDays: 30 }, 'test');
    const key = await keyOf({ seenDaysAgo: 29 });
    await retention.run(never);
    expect(await key()).toBe(true);
  });
});

test.for([
  ['a worker', new Date('2038-01-19T03:14:07Z'), now],
  ['the database', now, new Date('2038-01-19T03:14:07Z')],
] as const)('drops nothing that is kept when the clock of %s has leapt', async ([, ours, theirs]) => {
  const [delivery, attempt] = [await deliveryAt(daysAgo(5)), await attemptAt(daysAgo(5))];
  const leapt = retentionAt(ours, theirs);
  expect(await leapt.plan(shop.workspaceId)).toMatchObject(await retention.plan(shop.workspaceId));
  await leapt.run(never);
  const left = await inbox.db.ownerQuery(
    'SELECT id FROM deliveries WHERE id = $1 UNION ALL SELECT id FROM attempts WHERE id = $2',
    [delivery, attempt],
  );
  expect(left).toEqual([{ id: delivery }, { id: attempt }]);
});

describe('the books', () => {
  const hoursAgo = (hours: number) => daysAgo(hours / 24);
  const ledger = () =>
    createLedger({
      storage: inbox.db.storage,
      clock: { now: () => now, elapsedMs: () => 0 },
      findKeptSince: () => retention.keptSince(),
    });
  const missing = async () => {
    const span = { from: daysAgo(10), to: now };
    const { gaps } = await ledger().balance({ workspaceId: shop.workspaceId, span });
    return gaps.filter(({ stage }) => stage === 'vanished').map(({ since }) => since);
  };

  test('miss what is gone of a day that is kept, however old, and nothing of a day that was dropped', async () => {
    const [dropped, kept, lost] = [hoursAgo(40), hoursAgo(30), daysAgo(6)];
    for (const moment of [dropped, kept]) await deliveryAt(moment);
    const lostId = await deliveryAt(lost);
    await ledger().roll(shop.workspaceId, daysAgo(10));
    await retention.run(never);
    expect(await missing()).toEqual([]);
    for (const table of ['inbox', 'deliveries'])
      await inbox.db.ownerQuery(`DELETE FROM ${table} WHERE id = $1`, [lostId]);
    expect(await missing()).toEqual([lost]);

    const policies = await inbox.db.ownerQuery<{ id: WorkspaceId; settings: unknown }>(
      'SELECT workspace_id AS id, settings FROM workspaces',
    );
    for (const { id } of policies) await retention.set(id, { deliveryDays: 1 }, 'test');
    await retention.run(never);
    expect(await missing()).toEqual([]);
    for (const { id, settings } of policies)
      await inbox.db.ownerQuery('UPDATE workspaces SET settings = $2 WHERE workspace_id = $1', [id, settings]);
    await retention.run(never);
    expect(await missing()).toEqual([]);
    const left = await inbox.db.ownerQuery<{ id: string }>('SELECT id FROM inbox WHERE workspace_id = $1', [
      shop.workspaceId,
    ]);
    expect(left).toHaveLength(1);
  });
});

async function messageOf(
  { workspaceId, accountId }: { workspaceId: WorkspaceId; accountId: AccountId },
  eventId: string,
  providerId: string,
) {
  const [contact, conversation] = [newId('contact'), newId('conversation')];
  const { db } = inbox;
  await db.ownerQuery('INSERT INTO contacts (workspace_id, id) VALUES ($1, $2)', [workspaceId, contact]);
  await db.ownerQuery('INSERT INTO conversations (workspace_id, id, account_id, contact_id) VALUES ($1, $2, $3, $4)', [
    ...[workspaceId, conversation, accountId, contact],
  ]);
  await db.ownerQuery(
    `INSERT INTO messages (workspace_id, id, conversation_id, account_id, direction, author, type, content, provider_message_id, status, occurred_at)
     VALUES ($1, $2, $3, $4, 'in', 'customer', 'text', '{}', $5, 'received', now())`,
    [workspaceId, newId('message'), conversation, accountId, providerId],
  );
  await db.ownerQuery(
    `INSERT INTO events (workspace_id, id, delivery_id, account_id, ordinal, kind, type, key, payload, received_at, position, after_position, state)
     VALUES ($1, $2, $2, $3, 0, 'message', 'text', $4, jsonb_build_object('providerMessageId', $4::text), now(), 1, 0, 'handled')`,
    [workspaceId, eventId, accountId, providerId],
  );
}
