/** Deliveries as people look at them: the list and the trace. */
import type { DeliveryId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DeliveryFilter, listDeliveries, traceDelivery, unpackArrivals } from '#inbox';
import { newId, silentLog } from '#kernel';
import { body, delivery, type InboxWorld, openInboxWorld, type Shop, status, text, textBody, value } from './world.ts';

let world: InboxWorld;
beforeAll(async () => {
  world = await openInboxWorld();
});
afterAll(() => world.close());

async function list(shop: Shop, filter: Partial<DeliveryFilter> = {}) {
  await unpackArrivals({ storage: world.db.storage, log: silentLog });
  return world.db.storage.inWorkspace(shop.workspaceId, (tx) => listDeliveries(tx, { limit: 50, ...filter }));
}

describe('the list', () => {
  it('is newest first, goes on from a cursor, and filters by account and state', async () => {
    const shop = await world.shop();
    const other = await world.connect(shop.workspaceId, {
      provider: 'meta',
      settings: { phoneNumberId: `7${shop.phoneNumberId}`, wabaId: shop.wabaId },
      secrets: { accessToken: 'a token' },
    });
    const sent = [
      delivery(shop, textBody(shop, { from: '34670000001' }, {})),
      delivery(shop, 'not json'),
      delivery({ ...shop, accountId: other }, body(shop)),
    ];
    const receiver = world.receiver();
    const worker = world.worker();
    for (const one of sent) await receiver.receive(one);
    await world.settled();
    await worker.stop(5_000);
    const waiting = delivery(shop, textBody(shop, {}));
    await receiver.receive(waiting);

    const all = await list(shop);
    expect(all.map(({ id }) => id)).toEqual([waiting, ...sent.toReversed()].map(({ id }) => id));
    expect(all.at(-1)).toMatchObject({
      ...{ state: 'normalised', eventCount: 2, duplicateCount: 0, deadCount: 0, summary: 'message:text ×2' },
      ...{ sender: '+34670000001', error: null, sizeBytes: sent[0]?.body.length },
    });
    expect(all[2]).toMatchObject({ state: 'dead', error: expect.stringContaining('unreadable') });
    const first = await list(shop, { limit: 2 });
    const second = await list(shop, { limit: 2, before: first[1]?.id });
    expect([...first, ...second]).toEqual(all);
    expect((await list(shop, { state: 'dead' })).map(({ id }) => id)).toEqual([sent[1]?.id]);
    expect((await list(shop, { state: 'stored' })).map(({ id }) => id)).toEqual([waiting.id]);
    expect((await list(shop, { accountId: other })).map(({ id }) => id)).toEqual([sent[2]?.id]);
    expect(await list(await world.shop())).toEqual([]);
    const rest = world.worker();
    await world.settled();
    await rest.stop(5_000);
  });

  it('looks up only what the page shows, out of 20,000 deliveries', async () => {
    const shop = await world.shop();
    await fill(shop, 20_000);
    for (const filter of [{}, { accountId: shop.accountId }, { state: 'dead' as const }]) {
      const plan = await explain(shop, filter);
      expect(plan.rowsRead).toBeLessThan(1_500);
    }
    expect(await list(shop)).toHaveLength(50);
    expect((await list(shop, { state: 'dead' })).length).toBe(20);
  });
});

describe('the trace', () => {
  it('has every hop: event, turn, reply, attempt and receipt', async () => {
    const shop = await world.shop();
    const sent = delivery(shop, textBody(shop, { text: 'hola' }));
    const worker = world.worker();
    await world.receiver().receive(sent);
    await world.settled();
    const [out] = await world.db.ownerQuery<{ id: string; message_id: string }>(
      `UPDATE outbox SET state = 'sent', provider_message_id = 'wamid.reply' WHERE workspace_id = $1 RETURNING id, message_id`,
      [shop.workspaceId],
    );
    await world.db.ownerQuery(
      `UPDATE messages SET provider_message_id = 'wamid.reply', status = 'sent' WHERE id = $1`,
      [out?.message_id],
    );
    await world.db.ownerQuery(
      `INSERT INTO attempts (workspace_id, id, outbound_id, account_id, number, outcome) VALUES ($1, $2, $3, $4, 1, 'sent')`,
      [shop.workspaceId, newId('attempt'), out?.id, shop.accountId],
    );
    const receipt = body(shop, value(shop, { statuses: [status('wamid.reply', 'delivered')] }));
    await world.receiver().receive(delivery(shop, receipt));
    await world.settled();
    await worker.stop(5_000);
    const trace = await trace1(shop, sent.id);
    expect(trace?.body.equals(sent.body)).toBe(true);
    expect(trace?.events).toMatchObject([
      {
        ...{ kind: 'message', type: 'text', state: 'handled' },
        turn: { outcome: expect.stringMatching(/^answered/), steps: expect.arrayContaining([expect.anything()]) },
        outbound: [
          {
            ...{ state: 'sent', providerMessageId: 'wamid.reply' },
            ...{ attempts: [{ number: 1, outcome: 'sent' }], receipts: [{ status: 'delivered', wasApplied: true }] },
          },
        ],
      },
    ]);
    expect(await trace1(await world.shop(), sent.id)).toBeNull();
  });

  it('shows the dead letters of parts, each with its place', async () => {
    const shop = await world.shop();
    const worker = world.worker();
    const sent = delivery(shop, body(shop, value(shop, { messages: [text(), null] })));
    await world.receiver().receive(sent);
    await world.settled();
    await worker.stop(5_000);
    expect((await trace1(shop, sent.id))?.deadLetters).toMatchObject([
      { reason: 'unreadable', path: '/entry/0/changes/0/value/messages/1', replayedAt: null },
    ]);
  });
});

const trace1 = (shop: Shop, id: DeliveryId) =>
  world.db.storage.inWorkspace(shop.workspaceId, (tx) => traceDelivery(tx, id));

/** Handled deliveries with an event each; every thousandth is dead. */
async function fill(shop: Shop, count: number): Promise<void> {
  const ids = Array.from({ length: count }, () => newId('delivery'));
  await world.db.ownerQuery(
    `WITH made AS (SELECT id, ordinality AS n FROM unnest($1::uuid[]) WITH ORDINALITY AS t (id, ordinality)),
     kept AS (
       INSERT INTO deliveries (workspace_id, id, account_id, provider, route_kind, method, target, headers, body, received_at)
       SELECT $2, id, $3, 'meta', 'token', 'POST', '/x', '{}', convert_to(repeat('x', 900), 'UTF8'), now() FROM made),
     queued AS (
       INSERT INTO inbox (workspace_id, id, account_id, shard, position, after_position, state)
       SELECT $2, id, $3, 1, n, 0, CASE WHEN n % 1000 = 0 THEN 'dead' ELSE 'normalised' END FROM made)
     INSERT INTO events (workspace_id, id, delivery_id, account_id, ordinal, kind, type, key, payload, received_at, position,
       after_position, state)
     SELECT $2, gen_random_uuid(), id, $3, 0, 'message', 'text', n::text, '{"customer": [{"value": "+34"}]}', now(), n, 0,
       'handled' FROM made`,
    [ids, shop.workspaceId, shop.accountId],
  );
  await world.db.ownerQuery('ANALYZE');
}

interface PlanNode {
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** What the list's own statement reads of deliveries, events and dead letters, as Postgres tells it. */
async function explain(shop: Shop, filter: Partial<DeliveryFilter>) {
  return world.db.storage.inWorkspace(shop.workspaceId, async (tx) => {
    let found: { Plan: PlanNode } | undefined;
    await listDeliveries(
      {
        ...tx,
        query: async (statement: string, values: readonly unknown[] = []) => {
          const [row] = await tx.query<{ 'QUERY PLAN': [NonNullable<typeof found>] }>(
            `EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`,
            values,
          );
          found = row?.['QUERY PLAN'][0];
          return [];
        },
      },
      { limit: 50, ...filter },
    );
    if (!found) throw new Error('no plan');
    const wide = /^(deliveries|events|dead_letters)/;
    const count = (node: PlanNode): number =>
      (wide.test(node['Relation Name'] ?? '') ? node['Actual Rows'] * node['Actual Loops'] : 0) +
      (node.Plans ?? []).reduce((sum, child) => sum + count(child), 0);
    return { rowsRead: count(found.Plan) };
  });
}
