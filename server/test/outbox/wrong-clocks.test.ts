/** Dispatchers whose clocks are far apart: who holds what, and when it is due, the database's clock says alone. */
import type { OutboundId } from '@switchyard/contract';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Clock } from '#kernel';
import { claimHeads } from '../../src/outbox/dispatch/claim-store.ts';
import { type DispatchWorld, eventually, openDispatchWorld } from './dispatch-world.ts';
import { addPlace, text } from './world.ts';

let world: DispatchWorld;
beforeAll(async () => {
  world = await openDispatchWorld();
});
afterEach(() => world.rest());
afterAll(() => world.close());

const hourMs = 3_600_000;
const clockAhead = (ms: number): Clock => ({
  now: () => new Date(Date.now() + ms),
  elapsedMs: () => performance.now(),
});

const taken = (body: string) => world.provider.ledger.filter((send) => send.text === body);

test('each message goes once and in its order, and a second try does not wait for the other clock', async () => {
  const places = [await addPlace(world), await addPlace(world), await addPlace(world)];
  const bodies = ['first', 'second', 'third'].flatMap((nth) => places.map((_, index) => `${nth} to ${index}`));
  const refused = new Set<string>();
  world.provider.behave((send, answer) => {
    if (refused.has(send.text)) return answer.accept();
    refused.add(send.text);
    answer.refuse(503, 2);
  });
  const ids: OutboundId[] = [];
  for (const [index, body] of bodies.entries())
    ids.push(await world.queue(places[index % places.length]!, { content: text(body) }));
  for (const ms of [-hourMs, hourMs]) world.start({ clock: clockAhead(ms), retry: { baseMs: 1, capMs: 20 } });
  await eventually(async () => {
    for (const id of ids) expect(await world.row(id)).toMatchObject({ state: 'sent', attempts: 2 });
  });
  for (const body of bodies) expect(taken(body)).toHaveLength(1);
  for (const index of places.keys()) {
    const own = world.provider.ledger.map((send) => send.text).filter((body) => body.endsWith(`to ${index}`));
    expect(own).toEqual([`first to ${index}`, `second to ${index}`, `third to ${index}`]);
  }
});

test('what another one holds is left to it until its lease has ended, and then taken up', async () => {
  const [held, left] = [await addPlace(world), await addPlace(world)];
  const claim = (leaseMs: number) => ({
    ...{ maxMessages: 1, maxPerWorkspace: 10, maxPerAccount: 10, leaseMs, uncertainWaitMs: 30_000, heldLanes: [] },
    ...{ busyWorkspaces: new Map(), busyAccounts: new Map(), servedLately: [] },
  });
  const heldId = await world.queue(held, { content: text('held') });
  await claimHeads(world.db.storage, claim(10 * 60_000));
  const leftId = await world.queue(left, { content: text('left') });
  await claimHeads(world.db.storage, claim(1));
  for (const ms of [-hourMs, hourMs]) world.start({ clock: clockAhead(ms) });
  await eventually(async () => expect((await world.row(leftId)).state).toBe('sent'));
  expect(taken('left')).toHaveLength(1);
  expect(await world.row(heldId)).toMatchObject({ state: 'claimed', leaseEpoch: '1' });
});
