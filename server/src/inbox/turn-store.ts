/** SQL of the second half of the drain: due conversations, their pending events, what became of each. */
import type {
  AccountId,
  ConversationId,
  DeliveryId,
  EventId,
  MessageEvent,
  TurnId,
  WorkspaceId,
} from '@switchyard/contract';
import type { StoredEvent } from '#conversations';
import type { Storage, WorkspaceTx } from '#storage';
import type { OrderedEvent } from './next-event.ts';

export interface ConversationLease {
  readonly workspaceId: WorkspaceId;
  readonly conversationId: ConversationId;
  readonly epoch: string;
  /** The one who held it before ended in the middle of a turn. */
  readonly wasAbandoned: boolean;
}

export async function leaseConversations(
  storage: Storage,
  limit: number,
  leaseMs: number,
): Promise<ConversationLease[]> {
  return storage.workerStatement<ConversationLease & Record<string, unknown>>(
    `UPDATE conversations c SET lease_epoch = c.lease_epoch + 1,
       leased_until = clock_timestamp() + $2 * interval '1 millisecond'
     FROM (SELECT workspace_id, id, leased_until > '-infinity' AS was_abandoned FROM conversations
           WHERE next_due_at <= clock_timestamp() AND leased_until < clock_timestamp()
           ORDER BY next_due_at LIMIT $1 FOR UPDATE SKIP LOCKED) due
     WHERE c.workspace_id = due.workspace_id AND c.id = due.id
     RETURNING c.workspace_id AS "workspaceId", c.id AS "conversationId", c.lease_epoch AS epoch,
       due.was_abandoned AS "wasAbandoned"`,
    [limit, leaseMs],
    'inbox-lease-conversations',
  );
}

/** Locks the conversation for this transaction if the lease is still ours: a woken zombie gets false and must stop. */
export async function lockLeased(tx: WorkspaceTx, lease: ConversationLease): Promise<boolean> {
  const rows = await tx.query(
    'SELECT 1 FROM conversations WHERE workspace_id = $1 AND id = $2 AND lease_epoch = $3 FOR UPDATE',
    [tx.workspaceId, lease.conversationId, lease.epoch],
    'inbox-lock-leased',
  );
  return rows.length === 1;
}

export type PendingEvent = StoredEvent<MessageEvent> & OrderedEvent;

export async function readPending(
  tx: WorkspaceTx,
  conversationId: ConversationId,
  limit: number,
): Promise<PendingEvent[]> {
  const rows = await tx.query<PendingRow>(
    `SELECT e.id, e.delivery_id AS "deliveryId", e.account_id AS "accountId", e.ordinal, e.payload,
       e.occurred_at AS "occurredAt", e.position, e.after_position AS "afterPosition", e.attempts, e.is_test AS "isTest",
       e.received_at AS "receivedAt"
     FROM events e
     WHERE e.workspace_id = $1 AND e.conversation_id = $2 AND e.state = 'pending'
     ORDER BY e.position, e.id LIMIT $3`,
    [tx.workspaceId, conversationId, limit],
    'inbox-read-pending',
  );
  return rows.map((row) => ({
    eventId: row.id,
    deliveryId: row.deliveryId,
    accountId: row.accountId,
    ordinal: row.ordinal,
    event: row.payload,
    occurredAt: row.occurredAt,
    receivedAt: row.receivedAt,
    position: BigInt(row.position),
    afterPosition: BigInt(row.afterPosition),
    attempts: row.attempts,
    isTest: row.isTest,
  }));
}

interface PendingRow extends Record<string, unknown> {
  readonly id: EventId;
  readonly deliveryId: DeliveryId;
  readonly accountId: AccountId;
  readonly ordinal: number;
  readonly payload: MessageEvent;
  readonly occurredAt: Date | null;
  readonly position: string;
  readonly afterPosition: string;
  readonly attempts: number;
  readonly isTest: boolean;
  readonly receivedAt: Date;
}

export interface EventSettlement {
  readonly eventId: EventId;
  readonly state: 'handled' | 'parked' | 'dead';
  readonly reason: string;
  readonly waitKey: string | null;
  readonly turnId: TurnId | null;
}

export async function settleEvent(tx: WorkspaceTx, settlement: EventSettlement): Promise<void> {
  await tx.query(
    `UPDATE events SET state = $3, reason = $4, wait_key = $5, turn_id = $6,
       settled_at = CASE WHEN $3 = 'parked' THEN NULL ELSE clock_timestamp() END
     WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, settlement.eventId, settlement.state, settlement.reason, settlement.waitKey, settlement.turnId],
    'inbox-settle-event',
  );
}

/** Gives the conversation back; with nothing pending it is no longer due. `delayMs` puts the next turn off. */
export async function releaseConversation(
  tx: WorkspaceTx,
  lease: ConversationLease,
  next: { readonly hasMore: boolean; readonly delayMs: number },
): Promise<void> {
  await tx.query(
    `UPDATE conversations SET leased_until = '-infinity',
       next_due_at = CASE WHEN $4 THEN clock_timestamp() + $5 * interval '1 millisecond' END
     WHERE workspace_id = $1 AND id = $2 AND lease_epoch = $3`,
    [tx.workspaceId, lease.conversationId, lease.epoch, next.hasMore, next.delayMs],
    'inbox-release-conversation',
  );
}

export async function countEventAttempt(tx: WorkspaceTx, eventId: EventId): Promise<number> {
  const rows = await tx.query<{ attempts: number }>(
    'UPDATE events SET attempts = attempts + 1 WHERE workspace_id = $1 AND id = $2 RETURNING attempts',
    [tx.workspaceId, eventId],
    'inbox-count-event-attempt',
  );
  return rows[0]?.attempts ?? 0;
}
