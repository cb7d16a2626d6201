/** SQL of replays. */
import type { ConversationId, DeliveryId, WorkspaceId } from '@switchyard/contract';
import type { Storage, WorkspaceTx } from '#storage';
import { markDue } from './normalise/normalise-store.ts';

/** To be normalised once more; null when it is not this workspace's. */
export async function storeAgain(
  tx: WorkspaceTx,
  deliveryId: DeliveryId,
): Promise<{ readonly isShared: boolean } | null> {
  const rows = await tx.query<{ isShared: boolean }>(
    `UPDATE inbox SET state = 'stored', attempts = 0, left_over = 0 WHERE workspace_id = $1 AND id = $2
     RETURNING account_id IS NULL AS "isShared"`,
    [tx.workspaceId, deliveryId],
    'inbox-store-again',
  );
  return rows[0] ?? null;
}

/** Retention or an erasure has taken its body: there is nothing to handle once more. */
export async function isEmptied(tx: WorkspaceTx, deliveryId: DeliveryId): Promise<boolean> {
  const rows = await tx.query(
    `SELECT FROM deliveries WHERE workspace_id = $1 AND id = $2 AND masked_at IS NOT NULL AND octet_length(body) = 0`,
    [tx.workspaceId, deliveryId],
    'inbox-is-emptied',
  );
  return rows.length > 0;
}

/** Dead events of this delivery get their tries anew; how many. */
export async function reviveEvents(tx: WorkspaceTx, deliveryId: DeliveryId): Promise<number> {
  const revived = await tx.query<{ conversationId: ConversationId | null }>(
    `UPDATE events SET state = 'pending', attempts = 0, deaths = 0, reason = NULL, settled_at = NULL
     WHERE workspace_id = $1 AND delivery_id = $2 AND state = 'dead' RETURNING conversation_id AS "conversationId"`,
    [tx.workspaceId, deliveryId],
    'inbox-revive-events',
  );
  await markDue(tx, [...new Set(revived.flatMap((row) => row.conversationId ?? []))]);
  return revived.length;
}

export async function markReplayed(tx: WorkspaceTx, deliveryId: DeliveryId): Promise<void> {
  await tx.query(
    `UPDATE dead_letters SET replayed_at = now() WHERE workspace_id = $1 AND delivery_id = $2 AND replayed_at IS NULL`,
    [tx.workspaceId, deliveryId],
    'inbox-mark-replayed',
  );
}

/** Whose events died of a delivery that came by a route of all. */
export async function findGuestsWithDead(storage: Storage, deliveryId: DeliveryId): Promise<readonly WorkspaceId[]> {
  const rows = await storage.workerStatement<{ workspaceId: WorkspaceId }>(
    `SELECT DISTINCT workspace_id AS "workspaceId" FROM dead_letters WHERE delivery_id = $1 AND event_id IS NOT NULL`,
    [deliveryId],
    'inbox-find-guests-with-dead',
  );
  return rows.map((row) => row.workspaceId);
}
