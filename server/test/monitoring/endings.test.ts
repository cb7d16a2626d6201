/** An incident ends as resolved when it was looked at again and found whole; time alone mends nothing, and hides nothing new. */
import type { IncidentKind, IncidentState } from '@switchyard/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findOwedLook, oweLook, type VerifiedDelivery } from '#inbox';
import { fixedClock } from '#kernel';
import { balanceNow, stateOf, watchDeadLetters, watchOwedLooks, watchSilence } from '#monitoring';
import { body, delivery, type Shop, textBody, value } from '../inbox/world.ts';
import { type MonitoringWorld, openMonitoringWorld } from './world.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const started = Date.now();

let world: MonitoringWorld;
let shop: Shop;
beforeAll(async () => {
  world = await openMonitoringWorld();
});
beforeEach(async () => {
  // The rounds look at every shop of this file; only this one tells.
  await world.db.ownerQuery('UPDATE alarm_targets SET deleted_at = now()');
  shop = await world.shop();
  const made = await at(0).alarms.addTarget(shop.workspaceId, { kind: 'webhook', address: world.hook.url });
  expect(made.ok).toBe(true);
  world.hook.calls.length = 0;
});
afterAll(() => world.close());

/** Monitoring as it is so long after the start of the file. */
function at(afterMs: number) {
  const clock = fixedClock(new Date(started + afterMs));
  return { ...world.monitoring({ clock }), storage: world.db.storage, clock };
}

type Watching = ReturnType<typeof at>;

const balance = async (afterMs: number) => void (await balanceNow(at(afterMs), shop.workspaceId));

/** What the target was told since the last time, in the order in which it was written. */
async function told(): Promise<readonly string[]> {
  while (await at(0).alarms.sendDue());
  const bodies = world.hook.calls.map(({ body: text }) => JSON.parse(text) as { type: string; timestamp: string });
  world.hook.calls.length = 0;
  return bodies.toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : 1)).map(({ type }) => type.replace('alarm.', ''));
}

async function states(kind: IncidentKind): Promise<readonly IncidentState[]> {
  const all = await world.db.storage.inWorkspace(shop.workspaceId, (tx) => at(0).alarms.incidents(tx, { limit: 20 }));
  return all.filter((one) => one.kind === kind).map(stateOf);
}

async function receive(facts: Parameters<typeof textBody>[1] = {}): Promise<VerifiedDelivery> {
  const sent = delivery(shop, textBody(shop, facts));
  await world.receiver().receive(sent);
  return sent;
}

async function handleAll(): Promise<void> {
  const worker = world.worker();
  await world.settled();
  await worker.stop(5_000);
  await world.db.ownerQuery(`UPDATE outbox SET state = 'sent' WHERE workspace_id = $1`, [shop.workspaceId]);
}

/** Counted, and then gone from every table. */
async function vanish(): Promise<void> {
  await handleAll();
  await at(0).ledger.roll(shop.workspaceId);
  for (const table of ['outbox', 'events', 'turns', 'inbox', 'deliveries'])
    await world.db.ownerQuery(`DELETE FROM ${table} WHERE workspace_id = $1`, [shop.workspaceId]);
}

describe('a loss', () => {
  it('that nobody mended is never called resolved: it stays open past the hours compared, and is then no longer watched', async () => {
    await receive();
    await vanish();
    await balance(hourMs);
    expect([await told(), await states('balance')]).toEqual([['opened'], ['open']]);
    for (const afterMs of [2 * hourMs, 49 * hourMs, 50 * hourMs, 8 * dayMs]) {
      await at(afterMs).jobs['ledger-round']?.run();
      expect([await told(), await states('balance')]).toEqual([[], ['open']]);
    }
    await at(10 * dayMs).jobs['ledger-round']?.run();
    expect([await told(), await states('balance')]).toEqual([['unwatched'], ['unwatched']]);
  });

  it('of what lay in a batch is none that was mended, though no table names it any more', async () => {
    await receive();
    await balance(hourMs);
    expect(await told()).toEqual(['opened']);
    await world.db.ownerQuery('DELETE FROM arrivals');
    await balance(2 * hourMs);
    expect([await told(), await states('balance')]).toEqual([[], ['open']]);
  });

  it('that comes while another is open is told at once, and once', async () => {
    await receive({ id: 'wamid.vanishes' });
    await vanish();
    await receive({ id: 'wamid.lies' });
    // The first look is before anything is late: only what vanished is there to see.
    await balance(60_000);
    expect(await told()).toEqual(['opened']);
    await balance(20 * 60_000);
    expect(await told()).toEqual(['worsened']);
    for (const minutes of [25, 30, 90, 300]) await balance(minutes * 60_000);
    expect([await told(), await states('balance')]).toEqual([[], ['open']]);
  });

  it('like one that was told is told within the hour, not in every round', async () => {
    await receive({ id: 'wamid.one' });
    await balance(hourMs);
    expect(await told()).toEqual(['opened']);
    await receive({ id: 'wamid.two' });
    await balance(hourMs + 300_000);
    await receive({ id: 'wamid.three' });
    await balance(hourMs + 600_000);
    expect(await told()).toEqual([]);
    for (const minutes of [121, 126, 185]) await balance(minutes * 60_000);
    expect(await told()).toEqual(['worsened']);
    await handleAll();
    await balance(4 * hourMs);
    expect([await told(), await states('balance')]).toEqual([['resolved'], ['resolved']]);
  });
});

describe('what was set aside', () => {
  const watch = (monitoring: Watching) => watchDeadLetters(monitoring, shop.workspaceId);
  beforeEach(async () => {
    await world.receiver().receive(delivery(shop, body(shop, value(shop, { messages: [null] }))));
    const worker = world.worker();
    await world.settled();
    await worker.stop(5_000);
    await watch(at(hourMs));
    expect(await told()).toEqual(['opened']);
  });

  it('and lies there still after a day is no longer watched, not resolved', async () => {
    await watch(at(25 * hourMs));
    expect([await told(), await states('dead-letters')]).toEqual([['unwatched'], ['unwatched']]);
  });

  it('is resolved by its replay', async () => {
    await world.db.ownerQuery('UPDATE dead_letters SET replayed_at = now() WHERE workspace_id = $1', [
      shop.workspaceId,
    ]);
    await watch(at(25 * hourMs));
    expect([await told(), await states('dead-letters')]).toEqual([['resolved'], ['resolved']]);
  });
});

it('a silence whose account is switched off is no longer watched', async () => {
  const finding = { subject: shop.accountId, accountId: shop.accountId, facts: { quietMs: 1, lastHeardAt: null } };
  await at(0).alarms.report(shop.workspaceId, 'silence', [finding]);
  await watchSilence(at(hourMs), shop.workspaceId);
  expect([await told(), await states('silence')]).toEqual([['opened', 'unwatched'], ['unwatched']]);
});

describe('what cannot be asked for', () => {
  const watch = (monitoring: Watching) => watchOwedLooks(monitoring, shop.workspaceId);
  const owe = async (tries: number) => {
    const span = { from: new Date(started - 8 * hourMs), until: new Date(started) };
    await world.db.storage.inWorkspace(shop.workspaceId, (tx) => oweLook(tx, shop.accountId, span));
    await world.db.ownerQuery(
      `UPDATE owed_looks SET tries = $2, detail = 'unreachable: nobody answers' WHERE workspace_id = $1`,
      [...[shop.workspaceId, tries]],
    );
  };
  const looked = async (state: string) => {
    await world.db.ownerQuery(
      `INSERT INTO reconciliations (workspace_id, id, account_id, reason, wanted_from, wanted_until, state)
       VALUES ($1, gen_random_uuid(), $2, 'downtime', now(), now(), $3)`,
      [shop.workspaceId, shop.accountId, state],
    );
    await world.db.ownerQuery('DELETE FROM owed_looks WHERE workspace_id = $1', [shop.workspaceId]);
  };

  it('is an incident after half an hour of tries, found by the round of a quiet workspace, and resolved by the look', async () => {
    await owe(0);
    await watch(at(2 * hourMs));
    await owe(3);
    await watch(at(60_000));
    expect(await told()).toEqual([]);
    await at(hourMs).jobs['ledger-round']?.run();
    await watch(at(2 * hourMs));
    expect([await told(), await states('unasked')]).toEqual([['opened'], ['open']]);
    expect(await world.db.storage.inWorkspace(shop.workspaceId, (tx) => findOwedLook(tx, shop.accountId))).toBeTruthy();
    await looked('complete');
    await watch(at(3 * hourMs));
    expect([await told(), await states('unasked')]).toEqual([['resolved'], ['resolved']]);
  });

  it('is no longer watched where it was given up', async () => {
    await owe(3);
    await watch(at(hourMs));
    await looked('failed');
    await watch(at(2 * hourMs));
    expect([await told(), await states('unasked')]).toEqual([['opened', 'unwatched'], ['unwatched']]);
  });
});
