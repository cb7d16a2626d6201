/** SQL of shards: who reads which part of the inbox. */
import type { Storage } from '#storage';

export interface ShardLease {
  readonly shard: number;
  readonly epoch: string;
  /** The one who held it before ended without giving it back: go carefully, one delivery at a time. */
  readonly wasAbandoned: boolean;
  /** Another shard has work and nobody's lease. */
  readonly hasOthers: boolean;
}

export async function leaseShard(storage: Storage, worker: string, leaseMs: number): Promise<ShardLease | null> {
  const rows = await storage.workerStatement<{
    shard: number;
    epoch: string;
    wasAbandoned: boolean;
    hasOthers: boolean;
  }>(
    `WITH free AS MATERIALIZED (
       SELECT shard, leased_until, leased_by IS NOT NULL AS was_abandoned FROM inbox_shards q
       WHERE leased_until < clock_timestamp()
         AND EXISTS (SELECT 1 FROM inbox i WHERE i.shard = q.shard AND i.state = 'stored')
       ORDER BY leased_until, shard LIMIT 2 FOR UPDATE SKIP LOCKED),
     first AS MATERIALIZED (SELECT shard, was_abandoned FROM free ORDER BY leased_until, shard LIMIT 1)
     UPDATE inbox_shards s SET lease_epoch = s.lease_epoch + 1, leased_by = $1,
       leased_until = clock_timestamp() + $2 * interval '1 millisecond'
     FROM first WHERE s.shard = first.shard
     RETURNING s.shard, s.lease_epoch AS epoch, first.was_abandoned AS "wasAbandoned",
       (SELECT count(*) FROM free) > 1 AS "hasOthers"`,
    [worker, leaseMs],
    'inbox-lease-shard',
  );
  return rows[0] ?? null;
}

/** Extends the lease; false when it is no longer ours. */
export async function renewShard(storage: Storage, lease: ShardLease, leaseMs: number): Promise<boolean> {
  const rows = await storage.workerStatement(
    `UPDATE inbox_shards SET leased_until = clock_timestamp() + $3 * interval '1 millisecond'
     WHERE shard = $1 AND lease_epoch = $2 RETURNING shard`,
    [lease.shard, lease.epoch, leaseMs],
    'inbox-renew-shard',
  );
  return rows.length === 1;
}

/** `leased_until` is now, not long ago: whoever waited longest is next. */
export async function releaseShard(storage: Storage, lease: ShardLease): Promise<void> {
  await storage.workerStatement(
    `UPDATE inbox_shards SET leased_until = clock_timestamp(), leased_by = NULL WHERE shard = $1 AND lease_epoch = $2`,
    [lease.shard, lease.epoch],
    'inbox-release-shard',
  );
}
