/** However much one workspace has to do, the others are in the next batch: of turns, and of what is normalised. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Middleware } from '#pipeline';
import type { Storage } from '#storage';
import { readStatement } from '../../src/inbox/normalise/normalise-store.ts';
import { type Leased, type LeaseRequest, leaseConversations } from '../../src/inbox/turns/turn-store.ts';
import { delivery, type InboxWorld, openInboxWorld, type Shop, textBody } from './world.ts';

let world: InboxWorld;
beforeAll(async () => {
  world = await openInboxWorld();
});
afterAll(() => world.close());

async function writeTo(shop: Shop, customers: number): Promise<void> {
  const receiver = world.receiver();
  const froms = Array.from({ length: customers }, (_, index) => String(34_670_000_000 + index));
  await Promise.all(froms.map((from) => receiver.receive(delivery(shop, textBody(shop, { from })))));
}

/** What was written to these is pending and due, the first of them the longest; nobody takes a turn. */
async function makeDue(shops: readonly Shop[], customers: number): Promise<void> {
  const { storage } = world.db;
  const leasesNothing: Storage = {
    ...storage,
    workerStatement: (statement, values, name) =>
      name === 'inbox-lease-conversations' ? Promise.resolve([]) : storage.workerStatement(statement, values, name),
  };
  const reader = world.worker({ storage: leasesNothing, turnLimits: { turnsAtOnce: 0 } });
  for (const shop of shops) await writeTo(shop, customers);
  const ids = shops.map((shop) => shop.workspaceId);
  await world.eventually(async () => {
    const due = await world.db.ownerQuery(
      'SELECT id FROM conversations WHERE workspace_id = ANY($1) AND next_due_at IS NOT NULL',
      [ids],
    );
    return due.length === shops.length * customers;
  });
  await reader.stop(5_000);
  await world.db.ownerQuery(
    `UPDATE conversations SET next_due_at = now() - interval '1 hour' + array_position($1::uuid[], workspace_id) * interval '1 minute'
      WHERE workspace_id = ANY($1) AND next_due_at IS NOT NULL`,
    [ids],
  );
}

/** Ends each turn without a word, and notes whose it was. */
function noting(taken: Shop[], shops: readonly Shop[]): Middleware {
  return {
    name: 'noting',
    async handle(ctx) {
      taken.push(shops.find((shop) => shop.accountId === ctx.input.stored.accountId)!);
      return { ...ctx, end: { kind: 'silent', reason: 'noted' } };
    },
  };
}

/** So many of its conversations are held by nobody. */
async function isFree(shop: Shop, count: number): Promise<boolean> {
  const free = await world.db.ownerQuery(
    'SELECT id FROM conversations WHERE workspace_id = $1 AND leased_until < clock_timestamp()',
    [shop.workspaceId],
  );
  return free.length === count;
}

function lease(facts: Partial<LeaseRequest>): Promise<Leased> {
  const request = { limit: 10, leaseMs: 600_000, maxPerWorkspace: 100, busyWorkspaces: new Map(), servedLately: [] };
  return leaseConversations(world.db.storage, { ...request, ...facts });
}

it('with more workspaces than places the one that was served longest ago is next, whoever has waited longer', async () => {
  const shops = [await world.shop(), await world.shop(), await world.shop()];
  await makeDue(shops, 3);
  const taken: Shop[] = [];
  const turnLimits = { turnsAtOnce: 0, conversationsAtOnce: 1 };
  const worker = world.worker({ turnLimits, parts: { middleware: [noting(taken, shops)] } });
  await world.settled();
  await worker.stop(5_000);
  expect(taken.map((shop) => shops.indexOf(shop))).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
});

it('some places are left to others, however long the turns of one take, and are taken again when they end', async () => {
  const [loud, quiet] = [await world.shop(), await world.shop()];
  await makeDue([loud], 7);
  const taken: Shop[] = [];
  const goOn = Promise.withResolvers<void>();
  const note = noting(taken, [loud, quiet]);
  const slow: Middleware = {
    name: 'slow',
    async handle(ctx, next) {
      if (ctx.input.stored.accountId === loud.accountId) await goOn.promise;
      return note.handle(ctx, next);
    },
  };
  // Nobody looks again by the clock.
  const turnLimits = { turnsAtOnce: 0, conversationsAtOnce: 4, conversationsPerWorkspace: 3, idleMs: 600_000 };
  const worker = world.worker({ turnLimits, parts: { middleware: [slow] } });
  await writeTo(quiet, 1);
  await world.eventually(async () => taken.includes(quiet));
  expect(taken).toEqual([quiet]);
  goOn.resolve();
  await world.settled();
  await worker.stop(5_000);
  expect(taken).toHaveLength(8);
});

it('what a look leaves out since its workspace has its share is taken when that ends, also while the look is under way', async () => {
  const [loud, quiet] = [await world.shop(), await world.shop()];
  await makeDue([loud], 7);
  const taken: Shop[] = [];
  const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const note = noting(taken, [loud, quiet]);
  const slow: Middleware = {
    name: 'slow',
    async handle(ctx, next) {
      begun.resolve();
      if (ctx.input.stored.accountId === loud.accountId) await goOn.promise;
      return note.handle(ctx, next);
    },
  };
  const { storage } = world.db;
  let looks = 0;
  const watched: Storage = {
    ...storage,
    async workerStatement(statement, values, name) {
      if (name !== 'inbox-lease-conversations') return storage.workerStatement(statement, values, name);
      looks += 1;
      // The first sees two that are due; while the second is under way those two end, and so are not at the limit.
      const rows = await storage.workerStatement(statement, looks === 1 ? values.with(0, 2) : values, name);
      if (looks === 2) {
        goOn.resolve();
        await world.eventually(async () => taken.filter((shop) => shop === loud).length === 2 && isFree(loud, 6));
      }
      return rows as never;
    },
  };
  // Nobody looks again by the clock.
  const turnLimits = { turnsAtOnce: 0, conversationsPerWorkspace: 3, idleMs: 600_000 };
  const worker = world.worker({ storage: watched, turnLimits, parts: { middleware: [slow] } });
  await begun.promise;
  await writeTo(quiet, 1);
  await world.settled();
  await worker.stop(5_000);
  expect(taken).toHaveLength(8);
});

it('takes turns of each workspace in turn, the longest due of each first', async () => {
  const [loud, quiet, late] = [await world.shop(), await world.shop(), await world.shop()];
  const worker = world.worker();
  await Promise.all([writeTo(loud, 31), writeTo(quiet, 3), writeTo(late, 1)]);
  await world.settled();
  await worker.stop(5_000);
  await world.db.ownerQuery(
    `UPDATE conversations c SET next_due_at = now() - CASE c.workspace_id WHEN $1 THEN interval '1 hour' WHEN $2 THEN interval '1 second'
       ELSE interval '-1 hour' END WHERE c.workspace_id = ANY($3)`,
    [loud.workspaceId, quiet.workspaceId, [loud, quiet, late].map((shop) => shop.workspaceId)],
  );
  const { leases } = await lease({});
  const of = (shop: Shop) => leases.filter((lease) => lease.workspaceId === shop.workspaceId).length;
  expect([of(loud), of(quiet), of(late)]).toEqual([7, 3, 0]);
  const next = await lease({ limit: 30 });
  expect(next.leases).toHaveLength(24);
});

it('whoever has fewer conversations in hand is next, and nobody has more than its share', async () => {
  const [loud, quiet] = [await world.shop(), await world.shop()];
  await makeDue([loud, quiet], 3);
  const ofLoud = (leases: Leased['leases']) => leases.map(({ workspaceId }) => workspaceId === loud.workspaceId);
  const busyWorkspaces = new Map([[loud.workspaceId, 2]]);
  expect(ofLoud((await lease({ limit: 2, busyWorkspaces })).leases)).toEqual([false, false]);
  const left = await lease({ busyWorkspaces, maxPerWorkspace: 3, servedLately: [loud.workspaceId] });
  expect(ofLoud(left.leases).sort()).toEqual([false, true]);
  expect(left.stillWaiting).toEqual([loud.workspaceId]);
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
