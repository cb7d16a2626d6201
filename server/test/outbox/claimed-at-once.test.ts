/** What is queued may be claimed in the same statement, but never past another message of its conversation. */
import type { OutboundId } from '@switchyard/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#kernel';
import type { QueuedMessage } from '#outbox';
import { insertQueued } from '../../src/outbox/queue-store.ts';
import { type DispatchWorld, eventually, openDispatchWorld } from './dispatch-world.ts';
import { addPlace, type Conversation, text } from './world.ts';

let world: DispatchWorld;
beforeAll(async () => {
  world = await openDispatchWorld();
});
afterAll(() => world.close());

const leaseMs = 30_000;
const ids = () => ({ outboundId: newId('outbound'), messageId: newId('message') });

/** Which of these were claimed, by their places. */
async function queue(place: Conversation, messages: readonly Partial<QueuedMessage>[], lease = leaseMs) {
  const rows = messages.map((message) => ({
    ...{ conversationId: place.conversationId, accountId: place.accountId },
    ...{ content: text('a reply'), author: 'bot' as const, ...message, ...ids(), leaseMs: lease },
  }));
  const claimed = await world.db.storage.inWorkspace(place.workspaceId, (tx) => insertQueued(tx, rows, 'to-move'));
  return { claimed: claimed.map(({ outboundId }) => rows.findIndex((row) => row.outboundId === outboundId)), rows };
}

const settle = (id: OutboundId) =>
  world.db.ownerQuery(`UPDATE outbox SET state = 'sent', settled_at = now() WHERE id = $1`, [id]);

test('the first of a conversation is claimed, the next wait for it, and one that is settled holds up nobody', async () => {
  const place = await addPlace(world);
  const first = await queue(place, [{}, {}]);
  expect(first.claimed).toEqual([0]);
  expect((await queue(place, [{}])).claimed).toEqual([]);
  await settle(first.rows[0]!.outboundId);
  expect((await queue(place, [{}])).claimed).toEqual([]);
  await world.db.ownerQuery(`UPDATE outbox SET state = 'sent', settled_at = now() WHERE conversation_id = $1`, [
    place.conversationId,
  ]);
  expect((await queue(place, [{}])).claimed).toEqual([0]);
});

test('nothing is claimed without a lease, and what is held never', async () => {
  const place = await addPlace(world);
  expect((await queue(place, [{}], 0)).claimed).toEqual([]);
  const other = { ...place, conversationId: await world.addConversation(place) };
  expect((await queue(other, [{ isHeld: true }])).claimed).toEqual([]);
});

test('of two transactions that meet in one conversation only one claims', async () => {
  const place = await addPlace(world);
  const { storage } = world.db;
  const inserted = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const row = () => ({
    ...{ conversationId: place.conversationId, accountId: place.accountId },
    ...{ content: text('met'), author: 'bot' as const, ...ids(), leaseMs },
  });
  const first = storage.inWorkspace(place.workspaceId, async (tx) => {
    const claimed = await insertQueued(tx, [row()], 'to-move');
    inserted.resolve();
    await goOn.promise;
    return claimed;
  });
  await inserted.promise;
  const second = storage.inWorkspace(place.workspaceId, (tx) => insertQueued(tx, [row()], 'to-move'));
  await eventually(async () => {
    const waiting = await world.db.ownerQuery(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`);
    expect(waiting.length).toBeGreaterThan(0);
  });
  goOn.resolve();
  expect((await Promise.all([first, second])).map((claimed) => claimed.length)).toEqual([1, 0]);
});
