import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OutboundId } from '@switchyard/contract';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { evolutionChannel, metaChannel } from '#channels';
import { newId } from '#kernel';
import type { Lane } from '#outbox';
import { type DispatchWorld, eventually, openDispatchWorld } from './dispatch-world.ts';
import { addPlace, type Conversation, statusEvent, text } from './world.ts';

let world: DispatchWorld;
beforeAll(async () => {
  world = await openDispatchWorld();
});
afterEach(() => world.rest());
afterAll(() => world.close());

const textsOf = (sends: readonly { text: string }[], prefix: string) =>
  sends.map((send) => send.text).filter((sent) => sent.startsWith(prefix));

async function addConversations(place: Conversation, count: number): Promise<Conversation[]> {
  const added = [];
  for (let index = 0; index < count; index += 1) {
    added.push({ ...place, conversationId: await world.addConversation(place) });
  }
  return added;
}

test('sends what was queued and records the try, the id and the message', async () => {
  const place = await addPlace(world);
  const outboundId = await world.queue(place, { content: text('a reply') });
  world.start();
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('sent'));
  const sent = world.provider.ledger.find((send) => send.text === 'a reply')!;
  const row = await world.row(outboundId);
  expect(row).toMatchObject({ attempts: 1, messageStatus: 'sent', messageProviderId: sent.providerMessageId });
  expect(sent).toMatchObject({ to: '+34600000001', attemptId: row.attemptId });
  const tries = await world.db.ownerQuery(
    `SELECT id, number, outcome, provider_message_id AS "providerMessageId", ended_at >= started_at AS "isEnded"
       FROM attempts WHERE outbound_id = $1`,
    [outboundId],
  );
  expect(tries).toEqual([
    { id: row.attemptId, number: 1, outcome: 'sent', providerMessageId: sent.providerMessageId, isEnded: true },
  ]);
  expect(world.known).toContainEqual({ accountId: place.accountId, providerMessageId: sent.providerMessageId });
});

test('a dispatcher of this process is woken without the doorbell', async () => {
  const place = await addPlace(world);
  const dispatcher = world.start({ settings: { pollMs: 600_000 } });
  world.outbox.attach(dispatcher);
  const rings = world.rings.length;
  await eventually(async () => {
    const outboundId = await world.queue(place);
    await eventually(async () => expect((await world.row(outboundId)).state).toBe('sent'), 2_000);
  });
  expect(world.rings.length).toBe(rings);
  await dispatcher.stop(0);
  await world.queue(place);
  expect(world.rings.length).toBe(rings + 1);
});

test('keeps the order of a conversation behind a slow first message; others do not wait', async () => {
  const place = await addPlace(world);
  const [other] = await addConversations(place, 1);
  const slow = Promise.withResolvers<void>();
  world.provider.behave(async (send, answer) => {
    if (send.text === 'order 1') await slow.promise;
    answer.accept();
  });
  for (const number of [1, 2, 3]) await world.queue(place, { content: text(`order ${number}`) });
  world.start();
  await eventually(() => expect(textsOf(world.provider.requests, 'order')).toEqual(['order 1']));
  const outboundId = await world.queue(other!, { content: text('elsewhere') });
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('sent'));
  expect(textsOf(world.provider.requests, 'order')).toEqual(['order 1']);
  slow.resolve();
  await eventually(() => expect(textsOf(world.provider.ledger, 'order')).toEqual(['order 1', 'order 2', 'order 3']));
});

test('sends to different conversations in parallel, up to the limit of the account', async () => {
  const place = await addPlace(world);
  const together = Promise.withResolvers<void>();
  let inFlight = 0;
  let most = 0;
  world.provider.behave(async (_send, answer) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    if (inFlight === 4) together.resolve();
    await together.promise;
    answer.accept();
    inFlight -= 1;
  });
  const ids: OutboundId[] = [];
  for (const conversation of await addConversations(place, 10)) ids.push(await world.queue(conversation));
  world.start({ settings: { maxPerAccount: 4 } });
  await eventually(async () => {
    const rows = await Promise.all(ids.map((id) => world.row(id)));
    expect(rows.every((row) => row.state === 'sent')).toBe(true);
  });
  expect(most).toBe(4);
});

test('twenty dispatchers send every message once and in order', async () => {
  const place = await addPlace(world);
  const conversations = await addConversations(place, 12);
  const expected: string[] = [];
  for (const [index, conversation] of conversations.entries()) {
    for (let number = 0; number < 6; number += 1) {
      expected.push(`crowd ${index}/${number}`);
      await world.queue(conversation, { content: text(`crowd ${index}/${number}`) });
    }
  }
  for (let count = 0; count < 20; count += 1) world.start({ settings: { maxInFlight: 3 } });
  await eventually(() => expect(textsOf(world.provider.ledger, 'crowd').length).toBe(expected.length), 15_000);
  const sent = textsOf(world.provider.requests, 'crowd');
  expect([...sent].sort()).toEqual([...expected].sort());
  for (const index of conversations.keys()) {
    const own = sent.filter((body) => body.startsWith(`crowd ${index}/`));
    expect(own).toEqual(expected.filter((body) => body.startsWith(`crowd ${index}/`)));
  }
});

test('a closed window is refused without a request; a template may open it', async () => {
  const place = await addPlace(world);
  const conversationId = await world.addConversation(place, { hoursSinceInbound: 25 });
  const closed = await world.queue({ ...place, conversationId }, { content: text('too late') });
  const template = { type: 'template', name: 'come_back', language: 'en', parameters: [] } as const;
  const opened = await world.queue({ ...place, conversationId }, { content: template });
  world.start();
  await eventually(async () => expect((await world.row(opened)).state).toBe('sent'));
  const row = await world.row(closed);
  expect(row).toMatchObject({
    state: 'refused',
    attempts: 0,
    messageStatus: 'failed',
    failure: { code: 'WindowClosed' },
  });
  expect(textsOf(world.provider.requests, 'too late')).toEqual([]);
});

test('what the account or the channel cannot send is refused without a request', async () => {
  const off = await addPlace(world);
  world.accounts.set(off.accountId, { isActive: false });
  const gone = await addPlace(world);
  world.accounts.set(gone.accountId, { isDeleted: true });
  const other = await addPlace(world);
  world.accounts.set(other.accountId, { provider: 'webjs' });
  const ids = [await world.queue(off), await world.queue(gone), await world.queue(other)];
  const requests = world.provider.requests.length;
  world.start();
  await eventually(async () => {
    const rows = await Promise.all(ids.map((id) => world.row(id)));
    expect(rows.map((row) => row.failure?.code)).toEqual(['AccountInactive', 'AccountGone', 'NoChannel']);
  });
  expect(world.provider.requests.length).toBe(requests);
});

test('an account that cannot be looked at keeps only its own messages, and they say why', async () => {
  const poisoned = await addPlace(world);
  world.unreadable.add(poisoned.accountId);
  const sound = await addPlace(world);
  const [waits, goes] = [await world.queue(poisoned), await world.queue(sound)];
  world.start();
  await eventually(async () => expect((await world.row(goes)).state).toBe('sent'));
  const error = async () => {
    const { messageId } = await world.row(waits);
    const [row] = await world.db.ownerQuery('SELECT error FROM messages WHERE id = $1', [messageId]);
    return row?.error;
  };
  await eventually(async () => expect(await error()).toMatchObject({ code: 'AccountNotReadable' }));
  world.unreadable.delete(poisoned.accountId);
  await world.db.ownerQuery('UPDATE outbox SET due_at = now() WHERE id = $1', [waits]);
  await eventually(async () => expect((await world.row(waits)).state).toBe('sent'));
  expect(await error()).toBeNull();
});

test('a campaign does not reach who opted out; a reply does', async () => {
  const place = await addPlace(world);
  await world.db.ownerQuery(
    `INSERT INTO consents (workspace_id, id, contact_id, channel, topic, choice, source)
       SELECT workspace_id, $2, contact_id, 'whatsapp', 'all', 'out', 'word' FROM conversations WHERE id = $1`,
    [place.conversationId, newId('event')],
  );
  const campaign = await world.queue(place, { author: 'campaign' });
  const reply = await world.queue(place, { content: text('you are off the list') });
  world.start();
  await eventually(async () => expect((await world.row(reply)).state).toBe('sent'));
  expect(await world.row(campaign)).toMatchObject({ state: 'refused', attempts: 0, failure: { code: 'OptedOut' } });
});

test('more than the account may send a second is deferred, not failed', async () => {
  const place = await addPlace(world);
  world.accounts.set(place.accountId, { settings: { phoneNumberId: '1060', messagesPerSecond: '3' } });
  const ids: OutboundId[] = [];
  for (const conversation of await addConversations(place, 7)) {
    ids.push(await world.queue(conversation, { content: text('rated') }));
  }
  world.start();
  const rows = () => Promise.all(ids.map((id) => world.row(id)));
  await eventually(async () => {
    const waiting = (await rows()).filter((row) => row.dueInMs > 0);
    expect(waiting.length).toBeGreaterThan(0);
    expect(waiting.every((row) => row.state === 'queued' && row.attempts === 0)).toBe(true);
  });
  await eventually(async () => expect((await rows()).every((row) => row.state === 'sent')).toBe(true));
  expect((await rows()).every((row) => row.attempts === 1)).toBe(true);
});

test('the 46th message to one customer waits until the first is old enough', async () => {
  const place = await addPlace(world);
  const ids: OutboundId[] = [];
  for (let count = 0; count < 46; count += 1) ids.push(await world.queue(place));
  await world.db.ownerQuery(
    `UPDATE outbox SET state = 'sent', settled_at = now() - interval '70 seconds' WHERE id = ANY($1)`,
    [ids.slice(0, 45)],
  );
  world.start();
  await eventually(async () => {
    const row = await world.row(ids[45]!);
    expect(row).toMatchObject({ state: 'queued', attempts: 0 });
    expect(row.dueInMs).toBeGreaterThan(150_000);
  });
  expect((await world.row(ids[45]!)).dueInMs).toBeLessThan(200_000);
});

test('a lane that is held waits, and the others go on', async () => {
  const held: Lane[] = ['campaign'];
  world.start({ heldLanes: () => held });
  const [first, second] = await addConversations(await addPlace(world), 2);
  await world.queue(first!, { content: text('held campaign'), author: 'campaign' });
  await world.queue(second!, { content: text('held bot'), author: 'bot' });
  await eventually(() => expect(textsOf(world.provider.ledger, 'held')).toEqual(['held bot']));
  held.pop();
  await eventually(() => expect(textsOf(world.provider.ledger, 'held')).toEqual(['held bot', 'held campaign']));
});

test('every lane goes before the ones below it', async () => {
  const place = await addPlace(world);
  const order = ['reply', 'receipt', 'reminder', 'backlog', 'campaign'] as const satisfies readonly Lane[];
  const conversations = await addConversations(place, 2 * order.length);
  // The lowest are queued first, and are due the longest.
  for (const [index, lane] of [...order, ...order].toReversed().entries())
    await world.queue(conversations[index]!, { content: text(`lane ${lane}`), author: 'bot', lane });
  world.start({ settings: { maxInFlight: 1 } });
  await eventually(() => expect(textsOf(world.provider.ledger, 'lane').length).toBe(conversations.length));
  expect(textsOf(world.provider.ledger, 'lane')).toEqual(order.flatMap((lane) => [`lane ${lane}`, `lane ${lane}`]));
});

test('a flood of one workspace does not keep another waiting', async () => {
  const flood = await addPlace(world);
  for (const conversation of await addConversations(flood, 20)) {
    await world.queue(conversation, { content: text('flood') });
  }
  const small = await addPlace(world);
  await world.queue(small, { content: text('flooded: my one message') });
  world.start({ settings: { maxInFlight: 2, maxPerWorkspace: 1 } });
  await eventually(() => expect(textsOf(world.provider.requests, 'flooded')).toHaveLength(1));
  const order = textsOf(world.provider.requests, 'flood');
  expect(order.indexOf('flooded: my one message')).toBeLessThan(3);
});

test('a refusal for good is a failed message and no second try', async () => {
  const place = await addPlace(world);
  world.provider.behave((_send, answer) => answer.refuse(400, 131026));
  const outboundId = await world.queue(place, { content: text('undeliverable') });
  world.start();
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('refused'));
  const row = await world.row(outboundId);
  expect(row).toMatchObject({ attempts: 1, messageStatus: 'failed', failure: { providerCode: '131026' } });
  expect(textsOf(world.provider.requests, 'undeliverable')).toHaveLength(1);
});

test('who is asked to wait longer than we try gives up at once, says why, and holds up no later message', async () => {
  const place = await addPlace(world);
  world.provider.behave((send, answer) => (send.text === 'withheld' ? answer.refuse(400, 131049) : answer.accept()));
  const outboundId = await world.queue(place, { content: text('withheld') });
  const next = await world.queue(place, { content: text('after it') });
  world.start();
  await eventually(async () => expect((await world.row(next)).state).toBe('sent'));
  expect(await world.row(outboundId)).toMatchObject({
    ...{ state: 'dead', attempts: 1, messageStatus: 'failed' },
    failure: { code: 'withheld', providerCode: '131049' },
  });
});

test('what the provider cannot do now is tried again; used-up tries end as a dead letter', async () => {
  const place = await addPlace(world);
  world.provider.behave((_send, answer) => answer.refuse(503, 131016));
  const outboundId = await world.queue(place, { content: text('throttled') });
  world.start({ retry: { baseMs: 1, capMs: 5, maxAttempts: 3 } });
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('dead'));
  expect(await world.row(outboundId)).toMatchObject({ attempts: 3, messageStatus: 'failed' });
  expect(textsOf(world.provider.requests, 'throttled')).toHaveLength(3);
  const letters = await world.db.ownerQuery('SELECT reason FROM dead_letters WHERE outbound_id = $1', [outboundId]);
  expect(letters).toEqual([{ reason: 'TriesUsedUp' }]);
});

test('a provider that cannot be reached is surely not sent to: queued again with a wait', async () => {
  const place = await addPlace(world);
  const closed = createServer();
  await new Promise<void>((listening) => closed.listen(0, '127.0.0.1', listening));
  const baseUrl = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
  await new Promise((done) => closed.close(done));
  const outboundId = await world.queue(place, { content: text('nobody there') });
  world.start({ networkOf: () => ({ ...world.provider.network(), baseUrl }) });
  await eventually(async () => {
    const row = await world.row(outboundId);
    expect(row).toMatchObject({ state: 'queued', attempts: 1, messageStatus: 'queued' });
    expect(row.dueInMs).toBeGreaterThan(0);
  });
  const outcomes = await world.db.ownerQuery('SELECT outcome FROM attempts WHERE outbound_id = $1', [outboundId]);
  expect(outcomes).toEqual([{ outcome: 'unreachable' }]);
});

test('what breaks before the request leaves is no doubt; a channel that breaks in the middle is', async () => {
  const place = await addPlace(world);
  const outboundId = await world.queue(place);
  const unprepared = world.start({
    statusCallbackUrl: () => {
      throw new Error('no public URL');
    },
  });
  await eventually(async () =>
    expect(await world.row(outboundId)).toMatchObject({ state: 'queued', failure: { code: 'NotPrepared' } }),
  );
  await unprepared.stop(0);
  const send = () => Promise.reject(new Error('a bug'));
  world.start({ channels: { meta: { ...metaChannel, send } } });
  await eventually(async () =>
    expect(await world.row(outboundId)).toMatchObject({ state: 'uncertain', failure: { code: 'ChannelBroke' } }),
  );
});

test('a lost answer is uncertain and never sent again blindly; later messages wait, then go ahead', async () => {
  const place = await addPlace(world);
  world.provider.behave((send, answer) => (send.text === 'lost 1' ? answer.acceptThenHangUp() : answer.accept()));
  const first = await world.queue(place, { content: text('lost 1') });
  const second = await world.queue(place, { content: text('lost 2') });
  const settings = { uncertainWaitMs: 1_500, settleMs: 2_000 };
  world.start({ settings });
  await eventually(async () =>
    expect(await world.row(first)).toMatchObject({ state: 'uncertain', messageStatus: 'uncertain' }),
  );
  expect((await world.row(second)).state).toBe('queued');
  await eventually(async () => expect((await world.row(second)).state).toBe('sent'));
  const [waited] = await world.db.ownerQuery<{ ms: number }>(
    `SELECT extract(epoch FROM two.started_at - one.ended_at)::float8 * 1000 AS ms
       FROM attempts one, attempts two WHERE one.outbound_id = $1 AND two.outbound_id = $2`,
    [first, second],
  );
  expect(waited!.ms).toBeGreaterThanOrEqual(1_500);
  await eventually(async () => {
    const [left] = await world.db.ownerQuery(
      `SELECT leased_until = 'infinity' AS "isLeft" FROM outbox WHERE id = $1 AND state = 'uncertain'`,
      [first],
    );
    expect(left).toEqual({ isLeft: true });
  });
  expect(textsOf(world.provider.requests, 'lost')).toEqual(['lost 1', 'lost 2']);
});

test('what is wanted rather twice is tried once more, flagged before it leaves', async () => {
  const place = await addPlace(world);
  world.provider.behave((_send, answer) => answer.acceptThenHangUp());
  const outboundId = await world.queue(place, { content: text('twice'), repeatRule: 'rather-twice' });
  world.start({ settings: { settleMs: 100 } });
  await eventually(async () => {
    const [row] = await world.db.ownerQuery(
      `SELECT state, is_possible_duplicate AS "isFlagged", leased_until = 'infinity' AS "isLeft" FROM outbox WHERE id = $1`,
      [outboundId],
    );
    expect(row).toEqual({ state: 'uncertain', isFlagged: true, isLeft: true });
  });
  expect(textsOf(world.provider.requests, 'twice')).toHaveLength(2);
});

test('a breaker leaves a silent provider alone', async () => {
  const place = await addPlace(world);
  world.provider.behave((_send, answer) => answer.acceptThenHangUp());
  const conversations = await addConversations(place, 9);
  const ids: OutboundId[] = [];
  for (const conversation of conversations) ids.push(await world.queue(conversation, { content: text('silent') }));
  world.start({ settings: { maxPerAccount: 1 }, breaker: { threshold: 3, coolDownMs: 60_000 } });
  await eventually(async () => {
    const rows = await Promise.all(ids.map((id) => world.row(id)));
    expect(rows.filter((row) => row.state === 'uncertain')).toHaveLength(3);
    expect(rows.filter((row) => row.state === 'queued' && row.dueInMs > 5_000)).toHaveLength(6);
  });
  expect(textsOf(world.provider.requests, 'silent')).toHaveLength(3);
});

test('marks an inbound message as read, where the channel can', async () => {
  const place = await addPlace(world);
  world.outbox.attach(world.start());
  await world.db.storage.inWorkspace(place.workspaceId, async (tx) => {
    world.outbox.markRead(tx, { accountId: place.accountId, providerMessageId: 'wamid.inbound', chat: [] });
  });
  await eventually(() => expect(world.provider.reads).toContain('wamid.inbound'));
});

test('marks by chat and id, where the provider wants both', async () => {
  const place = await addPlace(world, 'evolution');
  const { accountId } = place;
  world.accounts.set(accountId, { provider: 'evolution', settings: { instance: 'shop' }, secrets: { apiKey: 'key' } });
  world.outbox.attach(world.start({ channels: { evolution: evolutionChannel } }));
  await world.db.storage.inWorkspace(place.workspaceId, async (tx) => {
    const chat = [{ kind: 'phone', value: '+15550002222' }] as const;
    world.outbox.markRead(tx, { accountId, providerMessageId: '3EB0INBOUND', chat });
  });
  await eventually(() => expect(world.provider.reads).toContain('15550002222@s.whatsapp.net 3EB0INBOUND'));
});

test.each(['accept', 'acceptThenHangUp'] as const)(
  'a receipt that overtakes its answer (%s) is not undone by it',
  async (end) => {
    const place = await addPlace(world);
    world.provider.behave(async (send, answer) => {
      await world.db.storage.inWorkspace(place.workspaceId, (tx) =>
        world.outbox.applyReceipt(
          tx,
          place.accountId,
          newId('event'),
          statusEvent({ type: 'delivered', providerMessageId: send.providerMessageId, attemptId: send.attemptId }),
        ),
      );
      answer[end]();
    });
    const outboundId = await world.queue(place, { content: text('overtaken') });
    world.start();
    await eventually(async () => {
      const tries = await world.db.ownerQuery(
        'SELECT outcome FROM attempts WHERE outbound_id = $1 AND milliseconds > 0',
        [outboundId],
      );
      expect(tries).toEqual([{ outcome: 'sent' }]);
    });
    expect(await world.row(outboundId)).toMatchObject({ state: 'sent', messageStatus: 'delivered', attempts: 1 });
  },
);

test('a status that comes while its answer is being recorded waits for the record', async () => {
  const place = await addPlace(world);
  const recording = Promise.withResolvers<string>();
  const goOn = Promise.withResolvers<void>();
  const outboundId = await world.queue(place, { content: text('being recorded') });
  world.start({
    providerIdsKnown: async (_tx, [known]) => {
      recording.resolve(known!.providerMessageId);
      await goOn.promise;
    },
  });
  const status = statusEvent({ type: 'read', providerMessageId: await recording.promise });
  const outcome = world.db.storage.inWorkspace(place.workspaceId, (tx) =>
    world.outbox.applyReceipt(tx, place.accountId, newId('event'), status),
  );
  await eventually(async () => {
    const blocked = await world.db.ownerQuery(
      `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    expect(blocked).toHaveLength(1);
  });
  goOn.resolve();
  expect((await outcome).kind).toBe('applied');
  expect((await world.row(outboundId)).messageStatus).toBe('read');
});
