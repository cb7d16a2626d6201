/** SQL of the sign of life of those that take webhooks. */
import type { Storage } from '#storage';

/** By the database's clock; `before` null: there was none yet. */
export async function markAlive(storage: Storage): Promise<{ readonly before: Date | null; readonly now: Date }> {
  const [row] = await storage.workerStatement<{ before: Date | null; now: Date }>(
    `WITH was AS (SELECT at FROM upkeep_marks WHERE name = 'gateway alive'),
     told AS (
       INSERT INTO upkeep_marks (name, at) VALUES ('gateway alive', now())
       ON CONFLICT (name) DO UPDATE SET at = now() RETURNING at)
     SELECT (SELECT at FROM was) AS before, at AS now FROM told`,
    [],
    'downtime-mark-alive',
  );
  if (!row) throw new Error('broken promise: an upsert gives its row');
  return row;
}
