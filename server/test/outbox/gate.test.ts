/** The gate of unofficial accounts, in the dispatcher: what is held says why, and no process lets more pass than a day's quota. */
import type { AccountId, OutboundId } from '@switchyard/contract';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Channel, metaChannel, type NumberAnswer } from '#channels';
import { type DispatchWorld, eventually, openDispatchWorld } from './dispatch-world.ts';
import { addPlace, type Conversation, text } from './world.ts';

let world: DispatchWorld;
const asked: string[] = [];
const nobody = '+34600000404';

beforeAll(async () => {
  world = await openDispatchWorld();
});
afterEach(() => world.rest());
afterAll(() => world.close());

/** The provider of these tests, as one that links a phone and has no window. */
const linked: Channel = {
  ...metaChannel,
  capabilities: { ...metaChannel.capabilities, windowHours: null },
  sessions: {
    start: async () => ({ kind: 'state', connection: 'connecting' }),
    look: async () => ({ kind: 'state', connection: 'connected' }),
    logOut: async () => ({ kind: 'state', connection: 'disconnected' }),
    checkNumber: async (_account, phone): Promise<NumberAnswer> => {
      asked.push(phone);
      return { kind: 'checked', isOnWhatsApp: phone !== nobody };
    },
  },
};

/** Takes a look-up and says nothing, until it is given up. */
const silent: Channel = {
  ...linked,
  sessions: {
    ...linked.sessions!,
    checkNumber: (_account, _phone, { signal }): Promise<NumberAnswer> =>
      new Promise((resolve) => {
        const failure = { code: 'TimedOut', detail: '', retry: { kind: 'later' }, isCertain: true } as const;
        signal.addEventListener('abort', () => resolve({ kind: 'unreachable', failure }), { once: true });
      }),
  },
};

function set(accountId: AccountId, settings: Record<string, string>): void {
  const common = { phoneNumberId: '1060', messagesPerSecond: '100000', quietHours: 'off', warmUp: 'off' };
  world.accounts.set(accountId, { settings: { ...common, ...settings } });
}

async function conversations(place: Conversation, count: number): Promise<Conversation[]> {
  const made: Conversation[] = [];
  for (let index = 0; index < count; index += 1)
    made.push({ ...place, conversationId: await world.addConversation(place) });
  return made;
}

const errorOf = async (outboundId: string) => {
  const [row] = await world.db.ownerQuery<{ error: { code: string; detail: string } | null }>(
    'SELECT m.error FROM outbox o JOIN messages m ON m.id = o.message_id WHERE o.id = $1',
    [outboundId],
  );
  return row?.error ?? null;
};

test('what is over the quota waits, says why, and goes when there is room again', async () => {
  const place = await addPlace(world);
  set(place.accountId, { dailyQuota: '2' });
  const ids: OutboundId[] = [];
  for (const one of await conversations(place, 3)) ids.push(await world.queue(one));
  const told: string[] = [];
  world.start({
    channels: { meta: linked },
    noteChange: (_tx, topic, changed) => {
      if (topic === 'message') told.push(...changed);
    },
  });
  let held = ids[0]!;
  await eventually(async () => {
    const rows = await Promise.all(ids.map((id) => world.row(id)));
    expect(rows.map(({ state }) => state).sort()).toEqual(['queued', 'sent', 'sent']);
    held = ids[rows.findIndex(({ state }) => state === 'queued')]!;
    expect(await errorOf(held)).toMatchObject({ code: 'QuotaUsedUp' });
    expect(told).toContain((await world.row(held)).messageId);
  });
  expect((await world.row(held)).messageStatus).toBe('queued');
  set(place.accountId, { dailyQuota: '3' });
  await world.db.ownerQuery('UPDATE outbox SET due_at = now() WHERE id = $1', [held]);
  await eventually(async () => expect((await world.row(held)).state).toBe('sent'));
  expect(await errorOf(held)).toBeNull();
});

test('two processes together let no more pass than the quota', async () => {
  const place = await addPlace(world);
  set(place.accountId, { dailyQuota: '5' });
  const ids: OutboundId[] = [];
  for (const one of await conversations(place, 12)) ids.push(await world.queue(one, { content: text('shared quota') }));
  world.start({ channels: { meta: linked }, settings: { maxPerAccount: 3 } });
  world.start({ channels: { meta: linked }, settings: { maxPerAccount: 3 } });
  await eventually(async () => {
    const errors = await Promise.all(ids.map(errorOf));
    expect(errors.filter((error) => error?.code === 'QuotaUsedUp')).toHaveLength(7);
  });
  expect(world.provider.ledger.filter((send) => send.text === 'shared quota')).toHaveLength(5);
});

test('a first word to a number that is not on WhatsApp is refused, and the number is asked for once', async () => {
  const place = await addPlace(world);
  set(place.accountId, {});
  const first = { ...place, conversationId: await world.addConversation(place, { hoursSinceInbound: null }) };
  await world.db.ownerQuery('UPDATE conversations SET address = $2 WHERE id = $1', [
    first.conversationId,
    JSON.stringify([{ kind: 'phone', value: nobody }]),
  ]);
  const stranger = { ...place, conversationId: await world.addConversation(place, { hoursSinceInbound: null }) };
  asked.length = 0;
  world.start({ channels: { meta: linked } });
  const refused = await world.queue(first);
  await eventually(async () => expect((await world.row(refused)).state).toBe('refused'));
  expect(await errorOf(refused)).toMatchObject({ code: 'NotOnWhatsApp' });
  const again = await world.queue(first);
  await eventually(async () => expect((await world.row(again)).state).toBe('refused'));
  const sent = await world.queue(stranger);
  await eventually(async () => expect((await world.row(sent)).state).toBe('sent'));
  expect(asked).toEqual([nobody, '+34600000001']);
});

test('numbers that nobody can look up hold up nobody else: they wait for another look, uncounted, and say so', async () => {
  const official = await addPlace(world);
  const place = await addPlace(world, 'evolution');
  set(place.accountId, {});
  world.accounts.set(place.accountId, { ...world.accounts.get(place.accountId), provider: 'evolution' });
  const strangers: OutboundId[] = [];
  for (let index = 0; index < 10; index += 1) {
    const conversationId = await world.addConversation(place, { hoursSinceInbound: null });
    await world.db.ownerQuery('UPDATE conversations SET address = $2 WHERE id = $1', [
      conversationId,
      JSON.stringify([{ kind: 'phone', value: `+3460000050${index}` }]),
    ]);
    strangers.push(await world.queue({ ...place, conversationId }));
  }
  const outboundId = await world.queue(official);
  world.start({ channels: { meta: metaChannel, evolution: silent }, settings: { leaseMs: 3_000 } });
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('sent'));
  await eventually(async () => {
    for (const id of strangers) expect(await errorOf(id)).toMatchObject({ code: 'NumberNotChecked' });
  });
  await eventually(async () => {
    const rows = await Promise.all(strangers.map((id) => world.row(id)));
    expect(rows.map(({ state }) => state)).toEqual(strangers.map(() => 'queued'));
    expect(rows.every(({ attempts, dueInMs }) => attempts === 0 && dueInMs > 0)).toBe(true);
  });
  const taken = await world.db.ownerQuery('SELECT taken FROM send_days WHERE account_id = $1', [place.accountId]);
  expect(taken).toEqual([{ taken: 0 }]);
  const old = strangers[0]!;
  // Queued long ago is not asked for long: an account that was away for an hour has its first answers to wait for now.
  await world.db.ownerQuery(
    `UPDATE outbox SET due_at = now(), created_at = now() - interval '16 minutes' WHERE id = $1`,
    [old],
  );
  await eventually(async () => expect((await world.row(old)).dueInMs).toBeGreaterThan(30_000));
  expect((await world.row(old)).state).toBe('queued');
  await world.db.ownerQuery(
    `UPDATE messages SET error = jsonb_set(error, '{facts,since}', to_jsonb(now() - interval '16 minutes'))
      WHERE id = (SELECT message_id FROM outbox WHERE id = $1)`,
    [old],
  );
  await world.db.ownerQuery('UPDATE outbox SET due_at = now() WHERE id = $1', [old]);
  await eventually(async () => expect((await world.row(old)).state).toBe('sent'));
});

test('accounts of official providers pass no gate', async () => {
  const place = await addPlace(world);
  set(place.accountId, { dailyQuota: '0' });
  const outboundId = await world.queue(place);
  world.start();
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('sent'));
  expect(await world.db.ownerQuery('SELECT 1 FROM send_days WHERE account_id = $1', [place.accountId])).toEqual([]);
});

test('what an account that has lost its connection should send waits, says why, and goes in its order once it is back', async () => {
  const place = await addPlace(world);
  const move = (status: string, reason: string | null) =>
    world.db.ownerQuery(
      `UPDATE accounts SET connection_status = $2, connection_error = $3, connection_changed_at = now() WHERE id = $1`,
      [place.accountId, status, reason],
    );
  await move('error', 'the access token was refused');
  const [first, second] = [
    await world.queue(place, { content: text('while away, one') }),
    await world.queue(place, { content: text('while away, two') }),
  ];
  world.start();
  await eventually(async () =>
    expect(await errorOf(first)).toMatchObject({
      code: 'AccountNotConnected',
      detail: 'The account is in error: the access token was refused.',
    }),
  );
  await eventually(async () => expect((await world.row(first)).state).toBe('queued'));
  expect(await world.row(first)).toMatchObject({ messageStatus: 'queued' });
  expect(world.provider.ledger.filter((send) => send.text?.startsWith('while away'))).toEqual([]);
  await move('connected', null);
  await world.db.storage.inWorkspace(place.workspaceId, (tx) => world.outbox.releaseHeld(tx, place.accountId));
  await eventually(async () => expect((await world.row(second)).state).toBe('sent'));
  const sent = world.provider.ledger.filter((send) => send.text?.startsWith('while away'));
  expect(sent.map((send) => send.text)).toEqual(['while away, one', 'while away, two']);
  expect(await errorOf(first)).toBeNull();
});

test('what has waited too long for a connection is refused, and says so', async () => {
  const place = await addPlace(world);
  await world.db.ownerQuery(
    `UPDATE accounts SET connection_status = 'disconnected', connection_changed_at = now() WHERE id = $1`,
    [place.accountId],
  );
  const outboundId = await world.queue(place);
  await world.db.ownerQuery(`UPDATE outbox SET created_at = now() - interval '13 hours' WHERE id = $1`, [outboundId]);
  world.start();
  await eventually(async () => expect((await world.row(outboundId)).state).toBe('refused'));
  expect(await errorOf(outboundId)).toMatchObject({ code: 'AccountNotConnected', retry: { kind: 'never' } });
});
