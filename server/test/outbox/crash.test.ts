/** What a process that dies or freezes leaves behind, and what the others make of it. */
import type { AttemptId } from '@switchyard/contract';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { metaChannel } from '#channels';
import { newId } from '#kernel';
import { StorageUnavailable } from '#storage';
import { type ClaimRequest, claimHeads, markSending, releaseClaims } from '../../src/outbox/dispatch/claim-store.ts';
import { type DispatchWorld, eventually, openDispatchWorld } from './dispatch-world.ts';
import { addPlace, type Conversation, statusEvent, text } from './world.ts';

let world: DispatchWorld;
beforeAll(async () => {
  world = await openDispatchWorld();
});
afterEach(() => world.rest());
afterAll(() => world.close());

const requestsOf = (body: string) => world.provider.requests.filter((send) => send.text === body);

/** A process that takes messages up and is not heard of again. */
const claimAndVanish = async (leaseMs: number) => (await claimHeads(world.db.storage, claim(leaseMs))).messages;

function claim(leaseMs: number): ClaimRequest {
  return {
    maxMessages: 10,
    maxPerWorkspace: 10,
    maxPerAccount: 10,
    leaseMs,
    uncertainWaitMs: 30_000,
    heldLanes: [],
    busyWorkspaces: new Map(),
    busyAccounts: new Map(),
    servedLately: [],
  };
}

async function markAndVanish(leaseMs: number): Promise<AttemptId> {
  const [claimed] = await claimAndVanish(30_000);
  const attemptId = newId('attempt');
  const marks = await markSending(world.db.storage, [{ ...claimed!, attemptId }], leaseMs);
  expect([...marks.keys()]).toEqual([attemptId]);
  return attemptId;
}

const receipt = (place: Conversation, attemptId: AttemptId, type: 'sent' | 'delivered' = 'delivered') =>
  world.db.storage.inWorkspace(place.workspaceId, (tx) =>
    world.outbox.applyReceipt(
      tx,
      place.accountId,
      newId('event'),
      statusEvent({ type, providerMessageId: `wamid.of.${attemptId}`, attemptId }),
    ),
  );

test('killed after the claim: another sends it, once', async () => {
  const place = await addPlace(world);
  const outboundId = await world.queue(place, { content: text('claimed and left') });
  expect(await claimAndVanish(1)).toHaveLength(1);
  for (const _ of [1, 2, 3]) world.start();
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('sent'));
  expect(await world.row(outboundId)).toMatchObject({ attempts: 1, leaseEpoch: '2' });
  expect(requestsOf('claimed and left')).toHaveLength(1);
});

test('killed after the mark: uncertain, never sent again, and settled by the receipt with its attempt id', async () => {
  const place = await addPlace(world);
  const outboundId = await world.queue(place, { content: text('marked and left') });
  const attemptId = await markAndVanish(1);
  for (const _ of [1, 2, 3]) world.start({ settings: { settleMs: 50 } });
  await eventually(async () => {
    const [row] = await world.db.ownerQuery(
      `SELECT state, leased_until = 'infinity' AS "isLeft" FROM outbox WHERE id = $1`,
      [outboundId],
    );
    expect(row).toEqual({ state: 'uncertain', isLeft: true });
  });
  expect(await world.row(outboundId)).toMatchObject({ messageStatus: 'uncertain', failure: { code: 'AnswerLost' } });
  await receipt(place, attemptId);
  expect(await world.row(outboundId)).toMatchObject({ state: 'sent', messageStatus: 'delivered', attempts: 1 });
  const tries = await world.db.ownerQuery('SELECT outcome FROM attempts WHERE outbound_id = $1', [outboundId]);
  expect(tries).toEqual([{ outcome: 'sent' }]);
  expect(requestsOf('marked and left')).toHaveLength(0);
});

test('frozen before its mark while another took over: its mark does not hold', async () => {
  const place = await addPlace(world);
  const outboundId = await world.queue(place, { content: text('frozen before') });
  const [zombie] = await claimAndVanish(1);
  world.start();
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('sent'));
  const marks = await markSending(world.db.storage, [{ ...zombie!, attemptId: newId('attempt') }], 30_000);
  expect(marks.size).toBe(0);
  await releaseClaims(world.db.storage, [{ ...zombie!, waitMs: 0 }]);
  expect(await world.row(outboundId)).toMatchObject({ state: 'sent', attempts: 1 });
});

test('frozen before its mark and nobody took over yet: a lease that ran out is enough', async () => {
  const place = await addPlace(world);
  const outboundId = await world.queue(place);
  const [zombie] = await claimAndVanish(1);
  await world.db.ownerQuery(`SELECT pg_sleep(0.01)`);
  expect((await markSending(world.db.storage, [{ ...zombie!, attemptId: newId('attempt') }], 30_000)).size).toBe(0);
  expect((await world.row(outboundId)).state).toBe('claimed');
});

test('a late answer to a try that was swept still says that it went out', async () => {
  const place = await addPlace(world);
  const late = Promise.withResolvers<void>();
  world.provider.behave(async (_send, answer) => {
    await late.promise;
    answer.accept();
  });
  const outboundId = await world.queue(place, { content: text('late answer') });
  world.start({ settings: { sendingLeaseMs: 50 } });
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('uncertain'));
  late.resolve();
  await eventually(async () =>
    expect(await world.row(outboundId)).toMatchObject({ state: 'sent', messageStatus: 'sent' }),
  );
  expect(requestsOf('late answer')).toHaveLength(1);
});

test('a late answer that it did not go out leaves on the try that it was in doubt', async () => {
  const place = await addPlace(world);
  const late = Promise.withResolvers<void>();
  world.provider.behave(async (_send, answer) => {
    if (requestsOf('late refusal').length > 1) return answer.accept();
    await late.promise;
    answer.refuse(400, 130429);
  });
  const outboundId = await world.queue(place, { content: text('late refusal') });
  world.start({ settings: { sendingLeaseMs: 50 } });
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('uncertain'));
  late.resolve();
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('sent'));
  const tries = await world.db.ownerQuery(
    `SELECT outcome, failure->>'code' AS code, failure->'wasInDoubt' AS "wasInDoubt" FROM attempts
     WHERE outbound_id = $1 ORDER BY number`,
    [outboundId],
  );
  expect(tries).toEqual([
    { outcome: 'refused', code: 'throughput-limited', wasInDoubt: true },
    { outcome: 'sent', code: null, wasInDoubt: null },
  ]);
});

test('a late answer does not touch the try that followed it, nor move the message back', async () => {
  const place = await addPlace(world);
  const late = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  world.provider.behave(async (_send, answer) => {
    const number = requestsOf('two tries').length;
    await late[number - 1]!.promise;
    return number === 1 ? answer.refuse(400, 131026) : answer.accept();
  });
  const outboundId = await world.queue(place, { content: text('two tries') });
  const sweeping = world.start({ settings: { sendingLeaseMs: 50, settleMs: 60_000 } });
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('uncertain'));
  world.start();
  const stopped = sweeping.stop(20_000);
  await world.db.storage.inWorkspace(place.workspaceId, (tx) =>
    world.outbox.settleUncertain(tx, outboundId, 'send-again'),
  );
  await eventually(() => expect(requestsOf('two tries')).toHaveLength(2));
  const tries = () =>
    world.db.ownerQuery('SELECT number, outcome FROM attempts WHERE outbound_id = $1 ORDER BY number', [outboundId]);
  late[0]!.resolve();
  await stopped;
  expect(await tries()).toEqual([
    { number: 1, outcome: 'refused' },
    { number: 2, outcome: null },
  ]);
  expect(await world.row(outboundId)).toMatchObject({
    state: 'sending',
    isPossibleDuplicate: true,
    messageStatus: 'queued',
  });
  late[1]!.resolve();
  await eventually(async () =>
    expect(await world.row(outboundId)).toMatchObject({ state: 'sent', messageStatus: 'sent' }),
  );
});

test('two claims at the same moment do not hold the same message', async () => {
  const place = await addPlace(world);
  await world.queue(place);
  const { storage } = world.db;
  await storage.asWorker(async (tx) => {
    const { messages: first } = await claimHeads(
      { ...storage, workerStatement: (sql, values) => tx.query(sql, values) },
      claim(30_000),
    );
    expect(first).toHaveLength(1);
    expect(await claimAndVanish(30_000)).toHaveLength(0);
  });
  expect(await claimAndVanish(30_000)).toHaveLength(0);
});

test('a message whose mark does not hold is not sent by the one who lost it', async () => {
  const place = await addPlace(world);
  const outboundId = await world.queue(place, { content: text('lost before the mark') });
  const { storage } = world.db;
  let hasLost = false;
  world.start({
    storage: {
      ...storage,
      workerStatement: async (sql, values, name) => {
        if (name === 'outbox-mark' && !hasLost) {
          hasLost = true;
          await world.db.ownerQuery(
            `UPDATE outbox SET lease_epoch = lease_epoch + 1, leased_until = now() WHERE id = $1`,
            [outboundId],
          );
        }
        return storage.workerStatement(sql, values, name);
      },
    },
  });
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('sent'));
  expect(await world.row(outboundId)).toMatchObject({ attempts: 1, leaseEpoch: '3' });
  expect(requestsOf('lost before the mark')).toHaveLength(1);
});

test('frozen between its mark and the request: gives the message back instead of sending', async () => {
  const place = await addPlace(world);
  const outboundId = await world.queue(place, { content: text('frozen after') });
  const { storage } = world.db;
  let frozenMs = 0;
  world.start({
    retry: { baseMs: 1, capMs: 1 },
    clock: { now: () => new Date(), elapsedMs: () => performance.now() + frozenMs },
    storage: {
      ...storage,
      workerStatement: async (sql, values, name) => {
        const rows = await storage.workerStatement(sql, values, name);
        if (name === 'outbox-mark' && frozenMs === 0) frozenMs = 60_000;
        return rows as never;
      },
    },
  });
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('sent'));
  const tries = await world.db.ownerQuery(
    `SELECT outcome, failure->>'code' AS code FROM attempts WHERE outbound_id = $1 ORDER BY number`,
    [outboundId],
  );
  expect(tries).toEqual([
    { outcome: 'unreachable', code: 'NotSent' },
    { outcome: 'sent', code: null },
  ]);
  expect(requestsOf('frozen after')).toHaveLength(1);
});

test('a stop finishes what is in flight and gives back what has not left', async () => {
  const place = await addPlace(world);
  const answerNow = Promise.withResolvers<void>();
  world.provider.behave(async (_send, answer) => {
    await answerNow.promise;
    answer.accept();
  });
  const flying = await world.queue(place, { content: text('in flight') });
  const dispatcher = world.start();
  await eventually(() => expect(requestsOf('in flight')).toHaveLength(1));
  const stopped = dispatcher.stop(5_000);
  const waiting = await world.queue(await addPlace(world), { content: text('after the stop') });
  answerNow.resolve();
  await stopped;
  expect((await world.row(flying)).state).toBe('sent');
  expect((await world.row(waiting)).state).toBe('queued');
  const held = await world.db.ownerQuery(`SELECT 1 FROM outbox WHERE state IN ('claimed', 'sending')`);
  expect(held).toEqual([]);
});

test('a stop that may not wait leaves the unanswered as uncertain, not as unsent', async () => {
  const place = await addPlace(world);
  world.provider.behave(() => {});
  const outboundId = await world.queue(place, { content: text('unanswered') });
  const dispatcher = world.start();
  await eventually(() => expect(requestsOf('unanswered')).toHaveLength(1));
  await dispatcher.stop(50);
  expect(await world.row(outboundId)).toMatchObject({ state: 'uncertain', messageStatus: 'uncertain' });
});

test('an outcome is recorded when the database answers again', async () => {
  const place = await addPlace(world);
  const outboundId = await world.queue(place, { content: text('recorded later') });
  const { storage } = world.db;
  let failures = 0;
  world.start({
    storage: {
      ...storage,
      inWorkspace: (workspaceId, work) => {
        failures += 1;
        if (failures <= 4) return Promise.reject(new StorageUnavailable('the database is away'));
        return storage.inWorkspace(workspaceId, work);
      },
    },
  });
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('sent'));
  expect(failures).toBeGreaterThan(4);
  expect(requestsOf('recorded later')).toHaveLength(1);
});

test('one outcome that cannot be recorded does not hold up those beside it', async () => {
  const place = await addPlace(world);
  const other: Conversation = { ...place, conversationId: await world.addConversation(place) };
  const poisoned = await world.queue(place, { content: text('poisoned') });
  const sound = await world.queue(other, { content: text('sound') });
  const poisonedId = () => world.provider.ledger.find((send) => send.text === 'poisoned')?.providerMessageId;
  world.start({
    providerIdsKnown: async (_tx, known) => {
      if (known.some((one) => one.providerMessageId === poisonedId())) throw new Error('nobody can take this one');
    },
  });
  await eventually(async () => expect((await world.row(sound)).state).toBe('sent'));
  expect((await world.row(poisoned)).state).toBe('sending');
});

test('text that Postgres cannot hold is left out, not a reason to lose an outcome', async () => {
  const place = await addPlace(world);
  const send = () => Promise.reject(new Error('bad \0 half \ud800 end'));
  const outboundId = await world.queue(place, { content: text('a\0b\ud800c') });
  world.start({ channels: { meta: { ...metaChannel, send } } });
  await eventually(async () =>
    expect(await world.row(outboundId)).toMatchObject({
      state: 'uncertain',
      failure: { detail: 'bad  half \ufffd end' },
    }),
  );
});

test('an account that cannot be looked up defers its messages', async () => {
  const place = await addPlace(world);
  const outboundId = await world.queue(place, { content: text('unknown account') });
  let looks = 0;
  world.start({
    settings: { lookupRetryMs: 20 },
    findServing: async () => {
      looks += 1;
      throw new Error('the database is away');
    },
  });
  await eventually(() => expect(looks).toBeGreaterThan(2));
  expect(await world.row(outboundId)).toMatchObject({ attempts: 0, messageStatus: 'queued' });
  expect(requestsOf('unknown account')).toHaveLength(0);
});

test("a provider's id that another message holds already does not stop the others of its batch", async () => {
  const place = await addPlace(world);
  const other: Conversation = { ...place, conversationId: await world.addConversation(place) };
  const phone = await world.queue(place, { isHeld: true });
  world.provider.behave(async (send, answer) => {
    if (send.text === 'taken id') {
      await world.db.ownerQuery(
        'UPDATE messages SET provider_message_id = $2 WHERE id = (SELECT message_id FROM outbox WHERE id = $1)',
        [phone, send.providerMessageId],
      );
    }
    answer.accept();
  });
  const ids = [
    await world.queue(place, { content: text('taken id') }),
    await world.queue(other, { content: text('own id') }),
  ];
  world.start();
  await eventually(async () => {
    const rows = await Promise.all(ids.map((id) => world.row(id)));
    expect(rows.map((row) => row.state)).toEqual(['sent', 'sent']);
  });
});
