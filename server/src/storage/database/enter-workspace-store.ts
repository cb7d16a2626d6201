import type { WorkspaceId } from '@switchyard/contract';
import type { Tx, WorkspaceTx } from '../storage.ts';

/**
 * A stranger who has been recognised goes on, in the same transaction, inside a workspace that is theirs: what they do to
 * themselves and what the workspace writes down about it are one. Of several workspaces the last one entered counts.
 */
export async function enterWorkspace(tx: Tx, workspaceId: WorkspaceId): Promise<WorkspaceTx> {
  await tx.query(`SELECT set_config('app.workspace', $1, true)`, [workspaceId]);
  return {
    workspaceId,
    query: (text, values, name) => tx.query(text, values, name),
    afterCommit: (ring) => tx.afterCommit(ring),
  };
}
