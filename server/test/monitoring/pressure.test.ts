/** The watch over the real thing: an old backlog holds lanes back, and lets them go when it is worked off. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog, systemClock } from '#kernel';
import { createPressureWatch } from '#monitoring';
import { inboxShards, StorageUnavailable } from '#storage';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

async function eventually(check: () => void): Promise<void> {
  for (const until = Date.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    try {
      check();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}

it('holds campaigns while deliveries wait too long, and no longer', async () => {
  const watch = createPressureWatch({
    ...{ storage: db.storage, dataFolder: process.cwd(), clock: systemClock, log: silentLog, lookEveryMs: 20 },
  });
  await db.ownerQuery(`INSERT INTO arrivals (delivery_count, origins, deliveries, bodies, arrived_at)
    VALUES (1, '[]', '[]', '', now() - interval '20 seconds')`);
  watch.start();
  await eventually(() => expect(watch.held).toContain('campaign'));
  expect(watch.pressure.reasons.join()).toContain('backlogAgeMs 2');
  expect(watch.isRefusing).toBe(false);
  await db.ownerQuery('DELETE FROM arrivals');
  await eventually(() => expect(watch.pressure.reasons.join()).not.toContain('backlogAgeMs'));
  const workspace = '01890000-0000-7000-8000-000000000001';
  const delivery = '01890000-0000-7000-8000-000000000002';
  await db.ownerQuery(
    `WITH d AS (INSERT INTO deliveries (workspace_id, id, provider, route_kind, method, target, headers, body, received_at)
       VALUES ($1, $2, 'meta', 'token', 'POST', '/', '{}', '', now() - interval '40 seconds'))
     INSERT INTO inbox (workspace_id, id, shard, position, after_position) VALUES ($1, $2, 0, 1, 0)`,
    [workspace, delivery],
  );
  await eventually(() => expect(watch.held).toEqual(expect.arrayContaining(['campaign', 'backlog'])));
  await watch.stop();
});

it('refuses webhooks when half of all queues have stood still for a day, and not for one that does', async () => {
  await db.ownerQuery('DELETE FROM inbox; DELETE FROM deliveries');
  const watch = createPressureWatch({
    ...{ storage: db.storage, dataFolder: null, clock: systemClock, log: silentLog, lookEveryMs: 20 },
  });
  const stand = (shards: readonly number[]) =>
    db.ownerQuery(
      `WITH d AS (INSERT INTO deliveries (workspace_id, id, provider, route_kind, method, target, headers, body, received_at)
         SELECT gen_random_uuid(), gen_random_uuid(), 'meta', 'token', 'POST', '/', '{}', '', now() - interval '25 hours'
         FROM unnest($1::integer[]) RETURNING workspace_id, id)
       INSERT INTO inbox (workspace_id, id, shard, position, after_position)
       SELECT workspace_id, id, ($1::integer[])[row_number() OVER ()], 1, 0 FROM d`,
      [shards],
    );
  await stand([3]);
  watch.start();
  await eventually(() => expect(watch.held).toContain('reminder'));
  expect(watch.isRefusing).toBe(false);
  await stand(Array.from({ length: inboxShards / 2 }, (_, index) => index + 5));
  await eventually(() => expect(watch.isRefusing).toBe(true));
  expect(watch.pressure.facts).toContain('wideBacklogAgeMs');
  await db.ownerQuery('DELETE FROM inbox');
  await eventually(() => expect(watch.isRefusing).toBe(false));
  await watch.stop();
});

it('takes it for no refusal where only the workers’ connections are all in use', async () => {
  let asked = 0;
  const storage = {
    ...db.storage,
    workerStatement: async () => {
      asked += 1;
      throw new StorageUnavailable('all connections are in use');
    },
  };
  const watch = createPressureWatch({
    ...{ storage, dataFolder: null, clock: systemClock, log: silentLog, lookEveryMs: 20 },
  });
  watch.start();
  await eventually(() => expect(asked).toBeGreaterThan(2));
  expect(watch.refusal).toEqual([]);
  await watch.stop();
});

it('lets work in slices go on as long as it can be borne, and then not before the pressure is over', async () => {
  await db.ownerQuery('DELETE FROM inbox; DELETE FROM deliveries');
  const watch = createPressureWatch({
    ...{ storage: db.storage, dataFolder: null, clock: systemClock, log: silentLog, lookEveryMs: 20 },
  });
  const { signal } = new AbortController();
  let copied = 0;
  const copySlice = async () => {
    if (await watch.mayGoOn('migration-copy', signal)) copied += 1;
  };
  await copySlice();
  expect(copied).toBe(1);
  await db.ownerQuery(`INSERT INTO arrivals (delivery_count, origins, deliveries, bodies, arrived_at)
    VALUES (1, '[]', '[]', '', now() - interval '20 seconds')`);
  watch.start();
  await eventually(() => expect(watch.held).toContain('campaign'));
  const waiting = copySlice();
  expect(await watch.mayGoOn('reply', signal)).toBe(true);
  expect(await watch.mayGoOn('migration-copy', AbortSignal.abort())).toBe(false);
  const stopped = new AbortController();
  const told = watch.mayGoOn('campaign', stopped.signal);
  stopped.abort();
  expect([await told, copied]).toEqual([false, 1]);
  await db.ownerQuery('DELETE FROM arrivals');
  await waiting;
  expect(copied).toBe(2);
  await watch.stop();
});
