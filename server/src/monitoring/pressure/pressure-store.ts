import type { Storage } from '#storage';

/**
 * How long the oldest delivery has waited, in milliseconds; 0 when none waits. Of each queue the head is looked at only:
 * position by position they are in the order of arrival.
 */
export async function readBacklogAge(storage: Pick<Storage, 'workerStatement'>): Promise<number> {
  const rows = await storage.workerStatement<{ age: number }>(
    `SELECT COALESCE(max(extract(epoch FROM clock_timestamp() - since) * 1000), 0)::float8 AS age FROM (
       (SELECT arrived_at AS since FROM arrivals WHERE refusal IS NULL ORDER BY position, part LIMIT 1)
       UNION ALL
       (SELECT head.since FROM inbox_shards q, LATERAL (
          SELECT d.received_at AS since FROM inbox i
          JOIN deliveries d ON d.workspace_id = i.workspace_id AND d.id = i.id
          WHERE i.shard = q.shard AND i.state = 'stored' ORDER BY i.position, i.id LIMIT 1) AS head)) AS heads`,
    [],
    'pressure-backlog-age',
  );
  return Math.max(0, rows[0]?.age ?? 0);
}
