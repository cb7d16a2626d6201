/**
 * Replay: a delivery, or its dead letters, go through the drain once more. Keys make what already took effect stay
 * single, so a replay repairs and never doubles.
 */
import type { DeliveryId, WorkspaceId } from '@switchyard/contract';
import type { Storage } from '#storage';

export interface ReplayResult {
  readonly isFound: boolean;
  /** Dead events that will be tried again; the delivery itself is normalised again in any case. */
  readonly revived: number;
}

export async function replayDelivery(
  storage: Storage,
  workspaceId: WorkspaceId,
  deliveryId: DeliveryId,
): Promise<ReplayResult> {
  return storage.inWorkspace(workspaceId, async (tx) => {
    const inbox = await tx.query(
      `UPDATE inbox SET state = 'stored', attempts = 0 WHERE workspace_id = $1 AND id = $2 RETURNING id`,
      [workspaceId, deliveryId],
    );
    if (inbox.length === 0) return { isFound: false, revived: 0 };
    const revived = await tx.query<{ conversation_id: string | null }>(
      `UPDATE events SET state = 'pending', attempts = 0, reason = NULL, settled_at = NULL
       WHERE workspace_id = $1 AND delivery_id = $2 AND state = 'dead' RETURNING conversation_id`,
      [workspaceId, deliveryId],
    );
    await tx.query(`UPDATE conversations SET next_due_at = now() WHERE workspace_id = $1 AND id = ANY($2)`, [
      workspaceId,
      revived.flatMap((row) => row.conversation_id ?? []),
    ]);
    await tx.query(
      `UPDATE dead_letters SET replayed_at = now() WHERE workspace_id = $1 AND delivery_id = $2 AND replayed_at IS NULL`,
      [workspaceId, deliveryId],
    );
    return { isFound: true, revived: revived.length };
  });
}
