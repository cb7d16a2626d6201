/** SQL of the sign of life of those that take webhooks. */
import type { Tx } from '#storage';

export interface Sign {
  /** null: there was none yet. */
  readonly before: Date | null;
  readonly now: Date;
}

/**
 * By the database's clock. The row stays locked until the end of the transaction: of two that come after a gap, one sees it,
 * and whoever fails before the commit leaves it to be seen by the next.
 */
export async function markAlive(tx: Tx): Promise<Sign> {
  const [was] = await tx.query<{ at: Date }>(
    `SELECT at FROM upkeep_marks WHERE name = 'gateway alive' FOR UPDATE`,
    [],
    'downtime-last-sign',
  );
  const [told] = await tx.query<{ at: Date }>(
    `INSERT INTO upkeep_marks (name, at) VALUES ('gateway alive', clock_timestamp())
     ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at RETURNING at`,
    [],
    'downtime-mark-alive',
  );
  if (!told) throw new Error('broken promise: an upsert gives its row');
  return { before: was?.at ?? null, now: told.at };
}
