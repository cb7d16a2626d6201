import type { OutboundId, StatusEvent } from '@switchyard/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#kernel';
import { addPlace, type Conversation, openWorld, statusEvent, text, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const apply = (place: Conversation, event: StatusEvent) =>
  world.db.storage.inWorkspace(place.workspaceId, (tx) =>
    world.outbox.applyReceipt(tx, place.accountId, newId('event'), event),
  );

/** A message in the state that a dispatcher would have left it in. */
async function inState(place: Conversation, state: string, providerMessageId: string | null = null) {
  const outboundId = await world.queue(place);
  const attemptId = newId('attempt');
  await world.db.ownerQuery(
    `UPDATE outbox SET state = $2, attempt_id = $3, attempts = 1, provider_message_id = $4 WHERE id = $1`,
    [outboundId, state, attemptId, providerMessageId],
  );
  await world.db.ownerQuery(
    `INSERT INTO attempts (workspace_id, id, outbound_id, account_id, number) VALUES ($1, $2, $3, $4, 1)`,
    [place.workspaceId, attemptId, outboundId, place.accountId],
  );
  await world.db.ownerQuery(
    `UPDATE messages SET provider_message_id = $2, status = $3 WHERE id = (SELECT message_id FROM outbox WHERE id = $1)`,
    [outboundId, providerMessageId, state === 'sent' ? 'sent' : state === 'uncertain' ? 'uncertain' : 'queued'],
  );
  return { outboundId, attemptId };
}

const statusOf = async (outboundId: OutboundId) => (await world.row(outboundId)).messageStatus;

test('queues message and outbox row with the next ordinal, and rings once a transaction', async () => {
  const place = await addPlace(world);
  const before = world.rings.length;
  const message = { ...place, author: 'bot' } as const;
  const [one, two] = await world.db.storage.inWorkspace(place.workspaceId, async (tx) => [
    await world.outbox.queueMessage(tx, { ...message, content: text('one') }),
    await world.outbox.queueMessage(tx, { ...message, content: text('two') }),
  ]);
  expect(await world.row(one!.outboundId)).toMatchObject({ state: 'queued', ordinal: '1', messageStatus: 'queued' });
  expect(await world.row(two!.outboundId)).toMatchObject({ state: 'queued', ordinal: '2' });
  expect(world.rings.length - before).toBe(1);
});

test('queues several of several conversations in one statement, each conversation in its order', async () => {
  const place = await addPlace(world);
  const other = { ...place, conversationId: await world.addConversation(place) };
  const queue = ({ workspaceId: _, ...where }: typeof place, words: string) =>
    ({ ...where, author: 'bot', content: text(words) }) as const;
  const ids = await world.db.storage.inWorkspace(place.workspaceId, async (tx) => {
    const before = world.db.storage.statements.app;
    const all = [queue(place, 'a'), queue(other, 'x'), queue(place, 'b'), queue(other, 'y'), queue(place, 'c')];
    const queued = await world.outbox.queueMessages(tx, all);
    expect(world.db.storage.statements.app - before).toBe(1);
    return queued;
  });
  const ordinals = await Promise.all(ids.map(async ({ outboundId }) => (await world.row(outboundId)).ordinal));
  expect(ordinals).toEqual(['1', '1', '2', '2', '3']);
  const previews = await world.db.ownerQuery<{ last: string }>(
    'SELECT last_message_text AS last FROM conversations WHERE id = ANY($1) ORDER BY 1',
    [[place.conversationId, other.conversationId]],
  );
  expect(previews).toEqual([{ last: 'c' }, { last: 'y' }]);
});

test('rings nobody for a transaction that is rolled back', async () => {
  const place = await addPlace(world);
  const before = world.rings.length;
  const failing = world.db.storage.inWorkspace(place.workspaceId, async (tx) => {
    await world.outbox.queueMessage(tx, { ...place, author: 'bot', content: text('never') });
    throw new Error('the turn failed');
  });
  await expect(failing).rejects.toThrow('the turn failed');
  expect(world.rings.length).toBe(before);
});

test('keeps a held message and rings nobody', async () => {
  const place = await addPlace(world);
  const before = world.rings.length;
  const outboundId = await world.queue(place, { isHeld: true });
  expect((await world.row(outboundId)).state).toBe('held');
  expect(world.rings.length).toBe(before);
});

test('refuses to queue on another account than the conversation has', async () => {
  const place = await addPlace(world);
  const other = await addPlace(world);
  await expect(world.queue({ ...place, accountId: other.accountId })).rejects.toThrow('broken promise');
});

test('read before delivered: the message stays read and both receipts are kept', async () => {
  const place = await addPlace(world);
  const { outboundId } = await inState(place, 'sent', 'wamid.order');
  const read = await apply(place, statusEvent({ type: 'read', providerMessageId: 'wamid.order' }));
  const delivered = await apply(place, statusEvent({ type: 'delivered', providerMessageId: 'wamid.order' }));
  expect([read.kind, delivered.kind]).toEqual(['applied', 'late']);
  expect(await statusOf(outboundId)).toBe('read');
  const { messageId } = await world.row(outboundId);
  const receipts = await world.db.ownerQuery(
    'SELECT status, was_applied AS "wasApplied" FROM receipts WHERE message_id = $1 ORDER BY created_at',
    [messageId],
  );
  expect(receipts).toEqual([
    { status: 'read', wasApplied: true },
    { status: 'delivered', wasApplied: false },
  ]);
});

test('failed after delivered changes nothing; failed after sent does', async () => {
  const place = await addPlace(world);
  const arrived = await inState(place, 'sent', 'wamid.arrived');
  const lost = await inState(place, 'sent', 'wamid.lost');
  await apply(place, statusEvent({ type: 'delivered', providerMessageId: 'wamid.arrived' }));
  const errors = [{ code: '131026', title: 'Message undeliverable' }];
  expect((await apply(place, statusEvent({ type: 'failed', providerMessageId: 'wamid.arrived', errors }))).kind).toBe(
    'late',
  );
  expect((await apply(place, statusEvent({ type: 'failed', providerMessageId: 'wamid.lost', errors }))).kind).toBe(
    'applied',
  );
  expect(await statusOf(arrived.outboundId)).toBe('delivered');
  expect(await statusOf(lost.outboundId)).toBe('failed');
});

test('a status for an unknown id waits', async () => {
  const place = await addPlace(world);
  const outcome = await apply(place, statusEvent({ type: 'sent', providerMessageId: 'wamid.unknown' }));
  expect(outcome).toEqual({ kind: 'waiting', waitKey: 'wamid.unknown' });
});

test('an attempt id that is no id of ours is not looked up', async () => {
  const place = await addPlace(world);
  const event = statusEvent({ type: 'sent', providerMessageId: 'wamid.odd', attemptId: "x' OR 1=1" });
  expect((await apply(place, event)).kind).toBe('waiting');
});

test('a receipt with our attempt id settles an uncertain send', async () => {
  const place = await addPlace(world);
  const { outboundId, attemptId } = await inState(place, 'uncertain');
  const event = statusEvent({ type: 'delivered', providerMessageId: 'wamid.settled', attemptId });
  expect((await apply(place, event)).kind).toBe('applied');
  expect(await world.row(outboundId)).toMatchObject({
    state: 'sent',
    providerMessageId: 'wamid.settled',
    messageStatus: 'delivered',
    messageProviderId: 'wamid.settled',
  });
  expect(world.known).toContainEqual(expect.objectContaining({ providerMessageId: 'wamid.settled' }));
});

test('a receipt that comes before its answer was recorded settles the send', async () => {
  const place = await addPlace(world);
  const { outboundId, attemptId } = await inState(place, 'sending');
  await apply(place, statusEvent({ type: 'sent', providerMessageId: 'wamid.early', attemptId }));
  expect(await world.row(outboundId)).toMatchObject({ state: 'sent', messageStatus: 'sent' });
});

test('a failed receipt of an uncertain send refuses it for good', async () => {
  const place = await addPlace(world);
  const { outboundId, attemptId } = await inState(place, 'uncertain');
  const errors = [{ code: '131047', title: 'Re-engagement message' }];
  await apply(place, statusEvent({ type: 'failed', providerMessageId: 'wamid.no', attemptId, errors }));
  const row = await world.row(outboundId);
  expect(row).toMatchObject({ state: 'refused', messageStatus: 'failed', failure: { providerCode: '131047' } });
});

test('a failed receipt of an earlier try says nothing of the message', async () => {
  const place = await addPlace(world);
  const { outboundId, attemptId } = await inState(place, 'sending');
  await world.db.ownerQuery('UPDATE outbox SET attempt_id = $2 WHERE id = $1', [outboundId, newId('attempt')]);
  const outcome = await apply(place, statusEvent({ type: 'failed', providerMessageId: 'wamid.first', attemptId }));
  expect(outcome.kind).toBe('late');
  expect(await world.row(outboundId)).toMatchObject({ state: 'sending', messageStatus: 'queued' });
});

test('a receipt takes a message that was about to be tried again out of the queue', async () => {
  const place = await addPlace(world);
  const { outboundId, attemptId } = await inState(place, 'queued');
  await apply(place, statusEvent({ type: 'delivered', providerMessageId: 'wamid.there', attemptId }));
  expect(await world.row(outboundId)).toMatchObject({ state: 'sent', messageStatus: 'delivered' });
});

test('read up to a message reads the earlier ones too, and no later one', async () => {
  const place = await addPlace(world, 'instagram');
  const ids = ['mid.1', 'mid.2', 'mid.3'];
  const sent = [];
  for (const id of ids) sent.push(await inState(place, 'sent', id));
  await apply(place, statusEvent({ type: 'read', providerMessageId: 'mid.2', isUpTo: true }));
  const statuses = await Promise.all(sent.map(({ outboundId }) => statusOf(outboundId)));
  expect(statuses).toEqual(['read', 'read', 'sent']);
});

test('the same event twice is one receipt', async () => {
  const place = await addPlace(world);
  const { outboundId } = await inState(place, 'sent', 'wamid.twice');
  const eventId = newId('event');
  const event = statusEvent({ type: 'read', providerMessageId: 'wamid.twice' });
  for (const _ of [1, 2]) {
    await world.db.storage.inWorkspace(place.workspaceId, (tx) =>
      world.outbox.applyReceipt(tx, place.accountId, eventId, event),
    );
  }
  const { messageId } = await world.row(outboundId);
  const receipts = await world.db.ownerQuery('SELECT was_applied FROM receipts WHERE message_id = $1', [messageId]);
  expect(receipts).toEqual([{ was_applied: true }]);
});

function hearEcho(place: Conversation, body: string, id: string): Promise<boolean> {
  return world.db.storage.inWorkspace(place.workspaceId, (tx) =>
    world.outbox.matchEcho(tx, place.accountId, place.conversationId, {
      kind: 'message',
      type: 'echo',
      key: id,
      occurredAt: null,
      bindings: [],
      path: '',
      providerMessageId: id,
      direction: 'out',
      customer: [],
      content: { type: 'text', text: body },
    }),
  );
}

test('an echo that may be of two equal messages is ours and proves neither', async () => {
  const place = await addPlace(world, 'evolution');
  const lost = await inState(place, 'uncertain');
  const underWay = await inState(place, 'sending');
  expect(await hearEcho(place, 'hello', 'BAE5.either')).toBe(true);
  expect(await world.row(lost.outboundId)).toMatchObject({ state: 'uncertain', messageProviderId: null });
  expect(await world.row(underWay.outboundId)).toMatchObject({ state: 'sending', messageProviderId: null });
  expect(world.known).not.toContainEqual(expect.objectContaining({ providerMessageId: 'BAE5.either' }));
});

test('an echo with the content that is in flight is ours; other text is a person on the phone', async () => {
  const place = await addPlace(world, 'evolution');
  const { outboundId } = await inState(place, 'uncertain');
  const echo = (body: string, id: string) => hearEcho(place, body, id);
  expect(await echo('see you at five', 'BAE5.typed')).toBe(false);
  expect(await echo('hello', 'BAE5.ours')).toBe(true);
  expect(await world.row(outboundId)).toMatchObject({
    state: 'sent',
    messageProviderId: 'BAE5.ours',
    messageStatus: 'sent',
  });
  expect(await echo('hello', 'BAE5.ours')).toBe(true);
  expect(await echo('hello', 'BAE5.again')).toBe(false);
});

test('a person settles an uncertain message: once more, flagged, or leaves it', async () => {
  const place = await addPlace(world);
  const again = await inState(place, 'uncertain');
  const left = await inState(place, 'uncertain');
  const settle = (outboundId: OutboundId, choice: 'send-again' | 'leave') =>
    world.db.storage.inWorkspace(place.workspaceId, (tx) => world.outbox.settleUncertain(tx, outboundId, choice));
  expect(await settle(again.outboundId, 'send-again')).toBe(true);
  expect(await settle(left.outboundId, 'leave')).toBe(true);
  expect(await world.row(again.outboundId)).toMatchObject({
    state: 'queued',
    isPossibleDuplicate: true,
    messageStatus: 'queued',
  });
  expect(await world.row(left.outboundId)).toMatchObject({ state: 'uncertain', messageStatus: 'uncertain' });
  expect(await settle(again.outboundId, 'send-again')).toBe(false);
});

test('another workspace cannot settle, nor find by attempt id', async () => {
  const place = await addPlace(world);
  const stranger = await addPlace(world);
  const { outboundId, attemptId } = await inState(place, 'uncertain');
  const event = statusEvent({ type: 'read', providerMessageId: 'wamid.theirs', attemptId });
  expect((await apply(stranger, event)).kind).toBe('waiting');
  expect((await world.row(outboundId)).state).toBe('uncertain');
});
