/** Promise 2: an event takes effect once, however often and on whatever way it comes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replayDelivery, traceDelivery } from '#inbox';
import { body, delivery, type InboxWorld, openInboxWorld, type Shop, status, text, textBody, value } from './world.ts';

let world: InboxWorld;

beforeAll(async () => {
  world = await openInboxWorld();
  world.worker();
  world.worker({ storage: await world.connection() });
});
afterAll(() => world.close());

async function counted(shop: Shop) {
  const [row] = await world.db.ownerQuery<Record<string, string>>(
    `SELECT (SELECT count(*) FROM messages WHERE workspace_id = $1 AND direction = 'in') AS messages,
       (SELECT count(*) FROM events WHERE workspace_id = $1) AS events,
       (SELECT count(*) FROM turns WHERE workspace_id = $1) AS turns,
       (SELECT count(*) FROM outbox WHERE workspace_id = $1) AS replies,
       (SELECT sum(duplicate_count) FROM inbox WHERE workspace_id = $1) AS duplicates,
       (SELECT count(*) FROM dead_letters WHERE workspace_id = $1) AS dead`,
    [shop.workspaceId],
  );
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, count]) => [name, Number(count)]));
}

describe('the same message', () => {
  it('takes effect once when it is delivered twice, one after the other', async () => {
    const shop = await world.shop();
    const receiver = world.receiver();
    const sent = textBody(shop, { id: 'wamid.twice' });
    await receiver.receive(delivery(shop, sent));
    await world.settled();
    await receiver.receive(delivery(shop, sent));
    await world.settled();
    expect(await counted(shop)).toEqual({ messages: 1, events: 1, turns: 1, replies: 1, duplicates: 1, dead: 0 });
  });

  it('takes effect once when fifty copies come at once through several gateways and workers', async () => {
    const shop = await world.shop();
    const receivers = [world.receiver(), world.receiver(await world.connection()), world.receiver()];
    const sent = textBody(shop, { id: 'wamid.fifty' });
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => receivers[i % receivers.length]?.receive(delivery(shop, sent))),
    );
    await world.settled();
    expect(await counted(shop)).toEqual({ messages: 1, events: 1, turns: 1, replies: 1, duplicates: 49, dead: 0 });
  });

  it('takes effect once when a retry groups it with others, or names it twice', async () => {
    const shop = await world.shop();
    const receiver = world.receiver();
    const [one, two, three] = [text({ id: 'wamid.g1' }), text({ id: 'wamid.g2' }), text({ id: 'wamid.g3' })];
    await receiver.receive(delivery(shop, body(shop, value(shop, { messages: [one, two] }))));
    await receiver.receive(delivery(shop, body(shop, value(shop, { messages: [two, three, three] }))));
    await world.settled();
    const found = await world.db.ownerQuery(
      `SELECT provider_message_id AS id FROM messages WHERE workspace_id = $1 AND direction = 'in' ORDER BY 1`,
      [shop.workspaceId],
    );
    expect(found.map(({ id }) => id)).toEqual(['wamid.g1', 'wamid.g2', 'wamid.g3']);
    expect(await counted(shop)).toMatchObject({ events: 3, turns: 3, duplicates: 2 });
  });

  it('is two when its id comes to two accounts', async () => {
    const [here, there] = [await world.shop(), await world.shop()];
    const receiver = world.receiver();
    await receiver.receive(delivery(here, textBody(here, { id: 'wamid.same' })));
    await receiver.receive(delivery(there, textBody(there, { id: 'wamid.same' })));
    await world.settled();
    expect([await counted(here), await counted(there)]).toMatchObject([
      { messages: 1, turns: 1, duplicates: 0 },
      { messages: 1, turns: 1, duplicates: 0 },
    ]);
  });

  it('does not hide a status of the same id', async () => {
    const shop = await world.shop();
    const receiver = world.receiver();
    const sent = value(shop, { messages: [text({ id: 'wamid.kinds' })], statuses: [status('wamid.kinds', 'read')] });
    await receiver.receive(delivery(shop, body(shop, sent)));
    await world.settled();
    const kinds = await world.db.ownerQuery('SELECT kind FROM events WHERE workspace_id = $1 ORDER BY kind', [
      shop.workspaceId,
    ]);
    expect(kinds.map(({ kind }) => kind)).toEqual(['message', 'status']);
  });
});

describe('replay', () => {
  it('of a handled delivery changes nothing', async () => {
    const shop = await world.shop();
    const sent = delivery(shop, textBody(shop, { id: 'wamid.replayed' }, { id: 'wamid.replayed2' }));
    await world.receiver().receive(sent);
    await world.settled();
    const before = [await counted(shop), await inboxRow(sent.id)];
    expect(await replayDelivery(world.db.storage, shop.workspaceId, sent.id)).toEqual({
      isFound: true,
      revived: 0,
      isEmptied: false,
    });
    await world.settled();
    expect([await counted(shop), await inboxRow(sent.id)]).toEqual(before);
  });

  it('handles what was dead once its cause is gone, and nothing else twice', async () => {
    const shop = await world.shop();
    const late = { phoneNumberId: '399000000001', wabaId: '9399000000001' };
    const settings = { ...late, phoneNumberId: late.phoneNumberId };
    const unknown = value(late, { messages: [text({ id: 'wamid.late' })] });
    const sent = delivery(shop, body(shop, value(shop, { messages: [text({ id: 'wamid.known' })] }), unknown));
    await world.receiver().receive(sent);
    await world.settled();
    expect(await counted(shop)).toMatchObject({ messages: 1, dead: 1 });

    await world.accounts.update(shop.workspaceId, shop.accountId, { settings });
    await replayDelivery(world.db.storage, shop.workspaceId, sent.id);
    await world.settled();
    const trace = await world.db.storage.inWorkspace(shop.workspaceId, (tx) => traceDelivery(tx, sent.id));
    expect(trace?.events.map((event) => event.key)).toContain('wamid.late');
    expect(trace?.deadLetters[0]?.replayedAt).toBeInstanceOf(Date);
    expect(await counted(shop)).toMatchObject({ messages: 2, turns: 2 });
  });

  it('is refused for another workspace', async () => {
    const [here, there] = [await world.shop(), await world.shop()];
    const sent = delivery(here, textBody(here, {}));
    await world.receiver().receive(sent);
    await world.settled();
    expect(await replayDelivery(world.db.storage, there.workspaceId, sent.id)).toEqual({
      isFound: false,
      revived: 0,
      isEmptied: false,
    });
    expect(await inboxRow(sent.id)).toMatchObject({ state: 'normalised' });
  });
});

async function inboxRow(id: string) {
  const [row] = await world.db.ownerQuery(
    'SELECT state, attempts, left_over, event_count, duplicate_count, dead_count FROM inbox WHERE id = $1',
    [id],
  );
  return row;
}

describe('a change of an account that is told again and again', () => {
  const quality = (shop: Shop, event: string, time: number) => ({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: shop.wabaId,
        time,
        changes: [{ field: 'phone_number_quality_update', value: { event, current_limit: 'TIER_1K' } }],
      },
    ],
  });

  it('is an event each time, and none the more when it is redelivered, late or early', async () => {
    const shop = await world.shop();
    const receiver = world.receiver();
    const told = ['UPGRADE', 'DOWNGRADE', 'UPGRADE', 'DOWNGRADE'].map((event, index) =>
      quality(shop, event, 1_750_000_000 + index * 60),
    );
    for (const sent of [...told, ...told.toReversed()]) {
      await receiver.receive(delivery(shop, sent));
      await world.settled();
    }
    expect(await counted(shop)).toMatchObject({ events: 4, duplicates: 4, dead: 0 });
    const late = quality(shop, 'UPGRADE', 1_750_000_090);
    await receiver.receive(delivery(shop, late));
    await world.settled();
    const [account] = await world.db.ownerQuery<{ metadata: unknown }>(
      'SELECT metadata FROM accounts WHERE workspace_id = $1 AND id = $2',
      [shop.workspaceId, shop.accountId],
    );
    expect(account?.metadata).toMatchObject({ quality_rating: { facts: { event: 'DOWNGRADE' } } });
    expect(await counted(shop)).toMatchObject({ events: 5 });
  });
});
