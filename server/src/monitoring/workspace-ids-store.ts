import type { WorkspaceId } from '@switchyard/contract';
import type { Storage } from '#storage';

/** Every workspace that is not removed: what is looked at in turn. */
export async function listWorkspaceIds(storage: Pick<Storage, 'workerStatement'>): Promise<readonly WorkspaceId[]> {
  const rows = await storage.workerStatement<{ id: WorkspaceId }>(
    'SELECT workspace_id AS id FROM workspaces WHERE deleted_at IS NULL ORDER BY workspace_id',
    [],
    'monitoring-workspaces',
  );
  return rows.map(({ id }) => id);
}
