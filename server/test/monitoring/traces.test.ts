/** One trace from the provider's request to the receipt, by whatever a person knows of it; and the view of it in SQL. */
import { toPublicId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unpackArrivals } from '#inbox';
import { newId, silentLog } from '#kernel';
import { body, delivery, type Shop, sharedDelivery, status, textBody, value } from '../inbox/world.ts';
import { type MonitoringWorld, openMonitoringWorld } from './world.ts';

let world: MonitoringWorld;
beforeAll(async () => {
  world = await openMonitoringWorld();
});
afterAll(() => world.close());

let customers = 0;

/** A customer has written, was answered, and the provider says that it arrived. */
async function answered() {
  customers += 1;
  const shop = await world.shop();
  const [digits, wamid] = [`3461000${String(customers).padStart(4, '0')}`, `wamid.in.${customers}`];
  const reply = `wamid.out.${customers}`;
  const worker = world.worker();
  const sent = delivery(shop, textBody(shop, { from: digits, id: wamid, text: 'hola' }));
  await world.receiver().receive(sent);
  await world.settled();
  const [out] = await world.db.ownerQuery<{ id: string; message_id: string }>(
    `UPDATE outbox SET state = 'sent', provider_message_id = $2 WHERE workspace_id = $1 RETURNING id, message_id`,
    [shop.workspaceId, reply],
  );
  await world.db.ownerQuery(`UPDATE messages SET provider_message_id = $2, status = 'sent' WHERE id = $1`, [
    out?.message_id,
    reply,
  ]);
  const attemptId = newId('attempt');
  await world.db.ownerQuery(
    `INSERT INTO attempts (workspace_id, id, outbound_id, account_id, number, outcome) VALUES ($1, $2, $3, $4, 1, 'sent')`,
    [shop.workspaceId, attemptId, out?.id, shop.accountId],
  );
  await world.receiver().receive(delivery(shop, body(shop, value(shop, { statuses: [status(reply, 'delivered')] }))));
  await world.settled();
  await worker.stop(5_000);
  return { shop, sent, digits, wamid, reply, attemptId, messageId: out?.message_id ?? '', outboundId: out?.id ?? '' };
}

const search = (shop: Pick<Shop, 'workspaceId'>, text: string) =>
  world.db.storage.inWorkspace(shop.workspaceId, (tx) => world.monitoring().search(tx, text));

describe('a trace', () => {
  it('is found by phone number, by either provider’s id and by every id of ours on its way, for its own workspace', async () => {
    const way = await answered();
    const id = toPublicId('delivery', way.sent.id);
    const queries: Readonly<Record<string, string>> = {
      'a phone number': `+${way.digits}`,
      'a phone number as it is written': `+34 610 ${way.digits.slice(5)}`,
      'the customer’s message': way.wamid,
      'our reply': way.reply,
      'the delivery': id,
      'the message': `msg_${way.messageId}`,
      'the outbound message': `out_${way.outboundId}`,
      'the attempt': `att_${way.attemptId}`,
      'a bare uuid': way.attemptId,
    };
    for (const [name, query] of Object.entries(queries)) {
      const found = await search(way.shop, query);
      expect([name, found.map((trace) => trace.id)]).toEqual([name, [id]]);
      expect(found[0]?.hops.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(['received', 'normalised', 'event', 'turn', 'queued', 'attempt', 'receipt']),
      );
    }
    const stranger = await world.shop();
    for (const query of Object.values(queries)) expect(await search(stranger, query)).toEqual([]);
  });

  it('tells what each hop is made of, for words in any language', async () => {
    const { shop, wamid } = await answered();
    const [trace] = await search(shop, wamid);
    const facts = Object.fromEntries((trace?.hops ?? []).map((hop) => [hop.kind, hop.facts]));
    expect(facts.received).toMatchObject({ provider: 'meta', isAuthenticated: true, bytes: expect.any(Number) });
    expect(facts.normalised).toEqual({ events: 1, duplicates: 0 });
    expect(facts.event).toMatchObject({ kind: 'message', type: 'text', state: 'handled' });
    expect(facts.turn).toMatchObject({ outcome: 'answered', passed: expect.stringContaining('consent') });
    expect(facts.queued).toHaveProperty('type');
    expect(facts.attempt).toMatchObject({ number: 1, outcome: 'sent' });
    expect(facts.receipt).toHaveProperty('status');
  });

  it('begins with the message where no delivery began it', async () => {
    const { shop, digits } = await answered();
    const [conversation] = await world.db.ownerQuery<{ id: never }>(
      'SELECT id FROM conversations WHERE workspace_id = $1',
      [shop.workspaceId],
    );
    const queued = await world.db.storage.inWorkspace(shop.workspaceId, (tx) =>
      world.outbox.queueMessage(tx, {
        conversationId: conversation?.id as never,
        ...{ accountId: shop.accountId, author: 'person', content: { type: 'text', text: 'a person writes' } },
      }),
    );
    const found = await search(shop, `+${digits}`);
    expect(found.map(({ id }) => id)[0]).toBe(toPublicId('message', queued.messageId));
    expect(found).toHaveLength(2);
    expect(found[0]).toMatchObject({
      summary: 'person: a person writes',
      customer: `+${digits}`,
      hops: [{ kind: 'queued' }],
    });
  });

  it('of a delivery for all is told to the workspace by its own events', async () => {
    const shop = await world.shop();
    const worker = world.worker();
    const sent = sharedDelivery(world, textBody(shop, { from: '34620000001', id: 'wamid.shared' }));
    await world.receiver().receive(sent);
    await world.settled();
    await worker.stop(5_000);
    const found = await search(shop, 'wamid.shared');
    expect(found).toMatchObject([{ id: toPublicId('delivery', sent.id), customer: '+34620000001' }]);
    expect(found[0]?.hops.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['event', 'turn', 'queued']));
  });

  it('is nothing for a text that is none', async () => {
    const shop = await world.shop();
    for (const text of ['', 'nobody', "'; DROP TABLE messages; --", `dlv_${'0'.repeat(32)}`])
      expect(await search(shop, text)).toEqual([]);
  });
});

describe('webhook_logs', () => {
  const logs = (shop: Pick<Shop, 'workspaceId'>) =>
    world.db.storage.inWorkspace(shop.workspaceId, (tx) =>
      tx.query('SELECT * FROM webhook_logs ORDER BY created_at DESC, id DESC LIMIT 5'),
    );

  it('has the columns of the guides, and tells what became of each delivery, without a body or a secret', async () => {
    const { shop, wamid, digits, sent } = await answered();
    const rows = await logs(shop);
    expect(Object.keys(rows[0] ?? {}).sort()).toEqual([
      ...['created_at', 'customer_identifier', 'error_message', 'external_message_id', 'id', 'payload', 'platform'],
      ...['processing_time_ms', 'social_account_id', 'status', 'user_id', 'webhook_type', 'workspace_id'],
    ]);
    expect(rows[1]).toMatchObject({
      ...{ id: sent.id, social_account_id: shop.accountId, platform: 'whatsapp', webhook_type: 'message:text' },
      ...{ status: 'processed', error_message: null, external_message_id: wamid, customer_identifier: `+${digits}` },
      payload: [{ kind: 'message', content: { text: 'hola' } }],
    });
    expect(Number(rows[1]?.processing_time_ms)).toBeGreaterThanOrEqual(0);
  });

  it('tells an error with its text, and what waits as received', async () => {
    const shop = await world.shop();
    const worker = world.worker();
    await world.receiver().receive(delivery(shop, 'no JSON at all'));
    await world.settled();
    await worker.stop(5_000);
    await world.receiver().receive(delivery(shop, textBody(shop, {})));
    await unpackArrivals({ storage: world.db.storage, log: silentLog });
    expect(await logs(shop)).toMatchObject([
      { status: 'received', webhook_type: 'unread', payload: [], processing_time_ms: null },
      { status: 'error', error_message: expect.stringMatching(/^unreadable: /) },
    ]);
    await world.db.ownerQuery(`UPDATE inbox SET state = 'normalised' WHERE state = 'stored'`);
  });

  it('shows a workspace its own only', async () => {
    const { shop } = await answered();
    expect((await logs(shop)).length).toBeGreaterThan(0);
    expect(await logs(await world.shop())).toEqual([]);
  });
});
