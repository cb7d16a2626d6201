/** The ledger: what came is counted hour by hour, and whatever stopped on its way is named. */
import type { AccountId, DeliveryId, WorkspaceId } from '@switchyard/contract';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLedger, findVanished, hourOf, type LedgerHour, noCounts, unpackArrivals } from '#inbox';
import { fixedClock, newId, silentLog } from '#kernel';
import { StorageUnavailable } from '#storage';
import { querying } from './querying.ts';
import {
  body,
  delivery,
  type InboxWorld,
  openInboxWorld,
  type Shop,
  sharedDelivery,
  text,
  textBody,
  value,
} from './world.ts';

let world: InboxWorld;
beforeAll(async () => {
  world = await openInboxWorld();
});
afterAll(() => world.close());
/** What a test has broken must not keep the next one waiting. */
afterEach(async () => {
  await world.db.ownerQuery(`UPDATE events SET state = 'handled' WHERE state = 'pending'`);
  await world.db.ownerQuery(`UPDATE inbox SET state = 'normalised' WHERE state = 'stored'`);
});

const hour = 3_600_000;
const later = (ms: number) => fixedClock(new Date(Date.now() + ms));

/** The last hour and the one that runs, looked at so long from now. */
function balanceOf(
  shop: { workspaceId: WorkspaceId },
  { inMs = 0, accountId }: { inMs?: number; accountId?: AccountId } = {},
) {
  const ledger = createLedger({ storage: world.db.storage, clock: later(inMs) });
  const span = { from: new Date(Date.now() - hour), to: new Date(Date.now() + 1) };
  return ledger.balance({ workspaceId: shop.workspaceId, accountId, span });
}

/** Three deliveries: two texts that are answered, a known one once more, one with a part that cannot be read. */
async function busyShop(): Promise<{ readonly shop: Shop; readonly ids: readonly DeliveryId[] }> {
  const shop = await world.shop();
  const worker = world.worker();
  const receiver = world.receiver();
  const first = delivery(shop, textBody(shop, { text: 'hola', id: `wamid.${shop.phoneNumberId}` }));
  const sent = [
    first,
    delivery(shop, first.body),
    delivery(shop, body(shop, value(shop, { messages: [text({ text: 'menu', from: '34600000002' }), null] }))),
  ];
  for (const one of sent) await receiver.receive(one);
  await world.settled();
  await worker.stop(5_000);
  return { shop, ids: sent.map(({ id }) => id) };
}

describe('the counters', () => {
  it('count an hour from the delivery to its answer, and the balance of a healthy hour has no gap', async () => {
    const { shop } = await busyShop();
    const found = await balanceOf(shop);
    expect(found.gaps).toEqual([]);
    expect(found).toMatchObject({ isBalanced: true, gapCount: 0, unpacked: 0 });
    const { counts } = found.hours[0] ?? {};
    expect(found.hours.map(({ accountId }) => accountId)).toEqual([shop.accountId]);
    expect(counts).toEqual({
      ...{ received: 3, stored: 3, normalised: 3, duplicates: 1, events: 2, handled: 2, answered: 2 },
      ...{ forwarded: 0, parked: 0, dead: 1, heard: 2 },
    });
  });

  it('are kept by the hour, are the same when counted again, and are nobody else’s', async () => {
    const { shop } = await busyShop();
    const ledger = createLedger({ storage: world.db.storage, clock: later(0) });
    await ledger.roll(shop.workspaceId);
    await ledger.roll(shop.workspaceId);
    const span = { from: hourOf(new Date(Date.now() - hour)), to: new Date(Date.now() + hour) };
    const kept = await ledger.counted({ workspaceId: shop.workspaceId, span });
    expect(kept.map(({ counts }) => counts.received)).toEqual([3]);
    const stranger = await world.shop();
    expect(await ledger.counted({ workspaceId: stranger.workspaceId, span })).toEqual([]);
    expect((await balanceOf(stranger)).hours).toEqual([]);
  });

  it('count what is received and not unpacked as received, and call it a gap once it is late', async () => {
    const [shop, other] = [await world.shop(), await world.shop()];
    const waiting = delivery(shop, textBody(shop, {}));
    await world.receiver().receive(waiting);
    expect(await balanceOf(shop)).toMatchObject({
      ...{ unpacked: 1, totals: { received: 1, stored: 0, normalised: 0 }, isBalanced: true },
    });
    const found = await balanceOf(shop, { inMs: hour });
    expect(found.gaps).toMatchObject([{ stage: 'unpack', deliveryId: waiting.id, accountId: shop.accountId }]);
    expect(await balanceOf(shop, { inMs: hour, accountId: newId('account') })).toMatchObject({ unpacked: 0, gaps: [] });
    expect(await balanceOf(other, { inMs: hour })).toMatchObject({ unpacked: 0, gaps: [] });
    await unpackArrivals({ storage: world.db.storage, log: silentLog });
    expect(await balanceOf(shop)).toMatchObject({ unpacked: 0, totals: { received: 1, stored: 1 }, isBalanced: true });
  });

  it('name at once what the database would not unpack, with its reason', async () => {
    const shop = await world.shop();
    await world.receiver().receive(delivery(shop, textBody(shop, {})));
    await world.db.ownerQuery(`UPDATE arrivals SET refusal = 'no room for it'`);
    expect((await balanceOf(shop)).gaps).toMatchObject([{ stage: 'unpack', detail: 'no room for it' }]);
    await world.db.ownerQuery('DELETE FROM arrivals');
  });
});

describe('the balance', () => {
  const stages: readonly (readonly [stage: string, what: string, statement: string])[] = [
    ['queue', 'a delivery that is in no queue', 'DELETE FROM inbox WHERE id = $1'],
    ['normalise', 'a delivery that nobody reads', `UPDATE inbox SET state = 'stored' WHERE id = $1`],
    ['events', 'an event that is gone', 'DELETE FROM events WHERE delivery_id = $1'],
    [
      'handle',
      'an event that nobody handles',
      `UPDATE events SET state = 'pending', settled_at = NULL WHERE delivery_id = $1`,
    ],
    [
      'turn',
      'a turn that is gone',
      'DELETE FROM turns WHERE event_id IN (SELECT id FROM events WHERE delivery_id = $1)',
    ],
    [
      'answer',
      'a reply that is gone',
      `DELETE FROM outbox WHERE turn_id IN (SELECT turn_id FROM events WHERE delivery_id = $1)`,
    ],
    [
      'send',
      'a reply that is not sent',
      `UPDATE outbox SET state = 'queued' WHERE turn_id IN (SELECT turn_id FROM events WHERE delivery_id = $1)`,
    ],
  ];

  it.each(stages)('names at %s %s, with the delivery and how old it is', async (stage, _what, statement) => {
    const { shop, ids } = await busyShop();
    await world.db.ownerQuery(`UPDATE outbox SET state = 'sent' WHERE workspace_id = $1`, [shop.workspaceId]);
    expect((await balanceOf(shop, { inMs: hour })).gaps).toEqual([]);
    await world.db.ownerQuery(statement, [ids[0]]);
    const found = await balanceOf(shop, { inMs: hour });
    expect(found.gaps).toMatchObject([{ stage, deliveryId: ids[0], accountId: shop.accountId }]);
    expect(found).toMatchObject({ isBalanced: false, gapCount: 1 });
    expect(Date.now() - (found.gaps[0]?.since.getTime() ?? 0)).toBeLessThan(hour);
    const other = await balanceOf(shop, { inMs: hour, accountId: newId('account') });
    expect(other).toMatchObject({ isBalanced: true, hours: [] });
  });

  it('does not call a gap what has only just come', async () => {
    const shop = await world.shop();
    await world.receiver().receive(delivery(shop, textBody(shop, {})));
    await unpackArrivals({ storage: world.db.storage, log: silentLog });
    expect(await balanceOf(shop)).toMatchObject({ isBalanced: true, totals: { received: 1, normalised: 0 } });
    expect(await balanceOf(shop, { inMs: hour })).toMatchObject({ gaps: [{ stage: 'normalise' }] });
  });

  it('names what was counted and is no longer there', async () => {
    const { shop, ids } = await busyShop();
    const ledger = createLedger({ storage: world.db.storage, clock: later(0) });
    await ledger.roll(shop.workspaceId);
    for (const table of ['events', 'dead_letters'])
      await world.db.ownerQuery(`DELETE FROM ${table} WHERE delivery_id = $1`, [ids[2]]);
    for (const table of ['inbox', 'deliveries'])
      await world.db.ownerQuery(`DELETE FROM ${table} WHERE id = $1`, [ids[2]]);
    await ledger.roll(shop.workspaceId);
    const found = await balanceOf(shop);
    expect(found.gaps).toMatchObject([
      { stage: 'vanished', accountId: shop.accountId, detail: '3 were counted, 2 are there' },
    ]);
  });

  it('finds the events of a shared route’s delivery in the workspaces they are of', async () => {
    const shop = await world.shop();
    const worker = world.worker();
    const sent = sharedDelivery(world, textBody(shop, { text: 'hola' }));
    await world.receiver().receive(sent);
    await world.settled();
    await worker.stop(5_000);
    const operator = { workspaceId: world.operatorId };
    expect((await balanceOf(operator)).gaps).toEqual([]);
    expect((await balanceOf(shop)).totals).toMatchObject({ received: 0, events: 1, answered: 1 });
    await world.db.ownerQuery('DELETE FROM events WHERE delivery_id = $1', [sent.id]);
    expect((await balanceOf(operator)).gaps).toMatchObject([{ stage: 'events', deliveryId: sent.id, accountId: null }]);
  });
});

describe('a span that is too much for one statement', () => {
  it('is asked in halves, down to an hour, and comes to the same', async () => {
    const { shop } = await busyShop();
    const asked: number[] = [];
    const { storage } = world.db;
    const impatient = querying(storage, (tx) => async (statement, values, name) => {
      if (name !== 'ledger-count-hours') return tx.query(statement, values, name);
      const hours = (JSON.parse(String(values?.[1])) as unknown[]).length;
      asked.push(hours);
      if (hours > 2) throw new StorageUnavailable('canceling statement due to statement timeout');
      return tx.query(statement, values, name);
    });
    const ledger = createLedger({ storage: impatient, clock: later(0) });
    const span = { from: new Date(Date.now() - 5 * hour), to: new Date() };
    const { totals } = await ledger.balance({ workspaceId: shop.workspaceId, span });
    expect(totals).toMatchObject({ received: 3, answered: 2 });
    expect(asked[0]).toBe(6);
    expect(asked.filter((hours) => hours <= 2).reduce((sum, hours) => sum + hours, 0)).toBe(6);
  });
});

describe('what vanished', () => {
  const at = (moment: string, stored: number): LedgerHour => ({
    accountId: null,
    hour: new Date(moment),
    counts: { ...noCounts, stored },
  });

  it.each([
    ['less than counted', [at('2026-01-02T10:00Z', 3)], [at('2026-01-02T10:00Z', 2)], 1],
    ['as much as counted', [at('2026-01-02T10:00Z', 3)], [at('2026-01-02T10:00Z', 3)], 0],
    ['more, which came since', [at('2026-01-02T10:00Z', 3)], [at('2026-01-02T10:00Z', 4)], 0],
    ['the whole hour', [at('2026-01-02T10:00Z', 3)], [], 1],
    ['of the first hour that is kept', [at('2026-01-01T00:00Z', 3)], [], 1],
    ['before that: retention has dropped it', [at('2025-12-31T23:00Z', 3)], [], 0],
  ])('%s', (_name, counted, there, gaps) => {
    expect(findVanished(counted, there, new Date('2026-01-01T00:00Z'))).toHaveLength(gaps);
  });
});
