/** SQL of shards: who reads which parts of the inbox. */
import type { Statement, Storage } from '#storage';

/** One shard of a lease: its number and the fencing number. */
export interface LeasedShard {
  readonly shard: number;
  readonly epoch: string;
}

/** The shards that one worker holds for one batch. */
export interface ShardLease {
  readonly worker: string;
  readonly shards: readonly LeasedShard[];
  /** The one who held it before ended without giving it back: go carefully, one delivery at a time. Then it is one shard. */
  readonly wasAbandoned: boolean;
}

/**
 * A lease need not outlast a crash of the database, so its commit does not wait for the disk: two holders of one number
 * are told apart by their names, and what they write is single by its keys.
 */
const unhurried = "(SELECT set_config('synchronous_commit', 'off', true) AS set OFFSET 0) AS unhurried";

/** What a lease gives: a shard and whether its last holder ended without giving it back. */
export type ShardRow = LeasedShard & { readonly wasAbandoned: boolean };

/** Takes up to `limit` free shards that have work; one that was abandoned is taken alone. Gives `ShardRow`s. */
export function leaseStatement(
  worker: string,
  { limit, leaseMs }: { readonly limit: number; readonly leaseMs: number },
): Statement {
  return {
    text: `WITH free AS MATERIALIZED (
       SELECT shard, leased_until, leased_by IS NOT NULL AS was_abandoned FROM inbox_shards q
       WHERE leased_until < clock_timestamp()
         AND EXISTS (SELECT 1 FROM inbox i WHERE i.shard = q.shard AND i.state = 'stored')
       ORDER BY leased_until, shard LIMIT $3 FOR UPDATE SKIP LOCKED),
     taken AS MATERIALIZED (
       SELECT shard, was_abandoned FROM free
       WHERE NOT was_abandoned AND NOT EXISTS (SELECT 1 FROM free WHERE was_abandoned)
          OR shard = (SELECT shard FROM free WHERE was_abandoned ORDER BY leased_until, shard LIMIT 1))
     UPDATE inbox_shards s SET lease_epoch = s.lease_epoch + 1, leased_by = $1,
       leased_until = clock_timestamp() + $2 * interval '1 millisecond'
     FROM taken, ${unhurried} WHERE s.shard = taken.shard AND unhurried.set IS NOT NULL
     RETURNING s.shard, s.lease_epoch AS epoch, taken.was_abandoned AS "wasAbandoned"`,
    values: [worker, leaseMs, limit],
    name: 'inbox-lease-shards',
  };
}

/** null: there is no work. */
export function leaseOf(worker: string, rows: readonly ShardRow[]): ShardLease | null {
  if (rows.length === 0) return null;
  const shards = rows.map(({ shard, epoch }) => ({ shard, epoch }));
  return { worker, shards, wasAbandoned: rows.some((row) => row.wasAbandoned) };
}

/** Extends the lease; false when part of it is no longer ours. */
export async function renewShards(storage: Storage, lease: ShardLease, leaseMs: number): Promise<boolean> {
  const rows = await storage.workerStatement(
    `UPDATE inbox_shards s SET leased_until = clock_timestamp() + $3 * interval '1 millisecond'
     FROM json_to_recordset($1) AS ours (shard smallint, epoch bigint)
     WHERE s.shard = ours.shard AND s.lease_epoch = ours.epoch AND s.leased_by = $2 RETURNING s.shard`,
    [JSON.stringify(lease.shards), lease.worker, leaseMs],
    'inbox-renew-shards',
  );
  return rows.length === lease.shards.length;
}

/** `leased_until` is now, not long ago: whoever waited longest is next. */
export function releaseStatement(lease: ShardLease): Statement {
  return {
    text: `UPDATE inbox_shards s SET leased_until = clock_timestamp(), leased_by = NULL
     FROM json_to_recordset($1) AS ours (shard smallint, epoch bigint), ${unhurried}
     WHERE s.shard = ours.shard AND s.lease_epoch = ours.epoch AND s.leased_by = $2 AND unhurried.set IS NOT NULL`,
    values: [JSON.stringify(lease.shards), lease.worker],
    name: 'inbox-release-shards',
  };
}

export async function releaseShards(storage: Storage, lease: ShardLease): Promise<void> {
  const { text, values, name } = releaseStatement(lease);
  await storage.workerStatement(text, values, name);
}

/** Whatever is held under this name, known to its holder or not: the answer to a lease may have been lost. */
export async function releaseAllOf(storage: Storage, worker: string): Promise<void> {
  await storage.workerStatement(
    `UPDATE inbox_shards s SET leased_until = clock_timestamp(), leased_by = NULL
     FROM ${unhurried} WHERE s.leased_by = $1 AND unhurried.set IS NOT NULL`,
    [worker],
    'inbox-release-all-shards',
  );
}
