import type { Storage } from '#storage';
import type { PressureFacts } from './pressure.ts';

/**
 * How long deliveries have waited, in milliseconds; 0 where none waits. Of each queue the head is looked at only: position by
 * position they are in the order of arrival. What has just arrived stands before all queues.
 */
export async function readBacklogAge(
  storage: Pick<Storage, 'workerStatement'>,
): Promise<Pick<PressureFacts, 'backlogAgeMs' | 'wideBacklogAgeMs'>> {
  const [row] = await storage.workerStatement<{ oldest: number; wide: number }>(
    `WITH arrived AS (
       SELECT COALESCE((SELECT extract(epoch FROM clock_timestamp() - arrived_at) FROM arrivals
         WHERE refusal IS NULL ORDER BY position, part LIMIT 1), 0) AS age),
     queued AS (
       SELECT COALESCE((SELECT extract(epoch FROM clock_timestamp() - d.received_at) FROM inbox i
         JOIN deliveries d ON d.workspace_id = i.workspace_id AND d.id = i.id
         WHERE i.shard = q.shard AND i.state = 'stored' ORDER BY i.position, i.id LIMIT 1), 0) AS age
       FROM inbox_shards q)
     SELECT (greatest(arrived.age, (SELECT max(age) FROM queued)) * 1000)::float8 AS oldest,
       (greatest(arrived.age, (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY age) FROM queued)) * 1000)::float8 AS wide
     FROM arrived`,
    [],
    'pressure-backlog-age',
  );
  return { backlogAgeMs: Math.max(0, row?.oldest ?? 0), wideBacklogAgeMs: Math.max(0, row?.wide ?? 0) };
}
