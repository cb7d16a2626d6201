/** SQL of whether what a gap was about is there. */
import type { WorkspaceTx } from '#storage';
import type { RowIds } from './gap-parts.ts';

export async function findRows(tx: WorkspaceTx, ids: RowIds): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM deliveries WHERE workspace_id = $1 AND id = ANY($2::uuid[])
     UNION ALL SELECT id FROM events WHERE workspace_id = $1 AND id = ANY($3::uuid[])
     UNION ALL SELECT id FROM outbox WHERE workspace_id = $1 AND id = ANY($4::uuid[])`,
    [tx.workspaceId, ids.deliveries, ids.events, ids.outbox],
    'monitoring-find-rows-of-gaps',
  );
  return new Set(rows.map(({ id }) => id));
}
