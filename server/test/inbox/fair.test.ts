/** However much one workspace has to do, the others are in the next batch: of turns, and of what is normalised. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStatement } from '../../src/inbox/normalise/normalise-store.ts';
import { leaseConversations } from '../../src/inbox/turns/turn-store.ts';
import { delivery, type InboxWorld, openInboxWorld, type Shop, textBody } from './world.ts';

let world: InboxWorld;
beforeAll(async () => {
  world = await openInboxWorld();
});
afterAll(() => world.close());

async function writeTo(shop: Shop, customers: number): Promise<void> {
  const receiver = world.receiver();
  const froms = Array.from({ length: customers }, (_, index) => String(34_670_000_000 + index));
  await Promise.all(froms.map((from) => receiver.receive(delivery(shop, textBody(shop, { from }, {})))));
}

it('takes turns of each workspace in turn, the longest due of each first', async () => {
  const [loud, quiet, late] = [await world.shop(), await world.shop(), await world.shop()];
  const worker = world.worker();
  await Promise.all([writeTo(loud, 30), writeTo(quiet, 2), writeTo(late, 1)]);
  await world.settled();
  await worker.stop(5_000);
  await world.db.ownerQuery(
    `UPDATE conversations c SET next_due_at = now() - CASE c.workspace_id WHEN $1 THEN interval '1 hour' WHEN $2 THEN interval '1 second'
       ELSE interval '-1 hour' END WHERE c.workspace_id = ANY($3)`,
    [loud.workspaceId, quiet.workspaceId, [loud, quiet, late].map((shop) => shop.workspaceId)],
  );
  // A shop has one conversation from the start.
  const leases = await leaseConversations(world.db.storage, 10, 30_000);
  const of = (shop: Shop) => leases.filter((lease) => lease.workspaceId === shop.workspaceId).length;
  expect([of(loud), of(quiet), of(late)]).toEqual([7, 3, 0]);
  const next = await leaseConversations(world.db.storage, 30, 30_000);
  expect(next).toHaveLength(24);
});

describe('of each shard its beginning is read, however long one of them is', () => {
  it.for([
    ['by number', 0, 1_000_000, [1, 41, 2, 42, 3, 4, 5, 6, 7, 8]],
    ['by bytes: large bodies of one leave room for the small of another', 300_000, 800_000, [1, 41, 2, 42, 3]],
  ] as const)('%s', async ([, bytes, maxBytes, expected]) => {
    await world.db.ownerQuery('TRUNCATE deliveries, inbox');
    await world.db.ownerQuery(
      `WITH made AS (SELECT gen_random_uuid() AS id, n, CASE WHEN n <= 40 THEN 3 ELSE 4 END AS shard FROM generate_series(1, 42) AS n),
       kept AS (INSERT INTO deliveries (workspace_id, id, provider, route_kind, method, target, headers, body, received_at)
         SELECT $1, id, 'meta', 'token', 'POST', '/', '{}', decode(repeat('00', CASE shard WHEN 3 THEN $2::int ELSE 0 END), 'hex'), now()
         FROM made)
       INSERT INTO inbox (workspace_id, id, shard, position, after_position) SELECT $1, id, shard, n, 0 FROM made`,
      ['01890000-0000-7000-8000-000000000001', bytes],
    );
    await world.db.ownerQuery(
      `UPDATE inbox_shards SET leased_by = 'reader', leased_until = now() + interval '1 minute' WHERE shard IN (3, 4)`,
    );
    const { text, values, name } = readStatement('reader', 10, maxBytes);
    const read = await world.db.storage.workerStatement<{ position: string }>(text, values, name);
    expect(read.map(({ position }) => Number(position))).toEqual(expected);
  });
});
