/** SQL of when each workspace's books were last balanced by night. */
import type { WorkspaceId } from '@switchyard/contract';
import type { Storage, WorkspaceTx } from '#storage';

/** After the look, never before it: what was not looked at is looked at again. */
export async function noteBalanced(tx: WorkspaceTx, at: Date): Promise<void> {
  await tx.query(
    `INSERT INTO ledger_balances (workspace_id, balanced_at) VALUES ($1, $2)
     ON CONFLICT (workspace_id) DO UPDATE SET balanced_at = EXCLUDED.balanced_at`,
    [tx.workspaceId, at],
    'monitoring-note-balanced',
  );
}

/** Across workspaces. */
export async function listBalanced(
  storage: Pick<Storage, 'workerStatement'>,
  since: Date,
): Promise<ReadonlySet<WorkspaceId>> {
  const rows = await storage.workerStatement<{ id: WorkspaceId }>(
    'SELECT workspace_id AS id FROM ledger_balances WHERE balanced_at >= $1',
    [since],
    'monitoring-list-balanced',
  );
  return new Set(rows.map(({ id }) => id));
}
