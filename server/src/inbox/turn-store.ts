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
import { type StoredEvent, storableText } from '#conversations';
import type { Storage, WorkspaceTx } from '#storage';

export interface ConversationLease {
  readonly workspaceId: WorkspaceId;
  readonly conversationId: ConversationId;
  readonly epoch: string;
  /** The one who held it before ended in the middle of a turn. */
  readonly wasAbandoned: boolean;
}

/**
 * Its commit does not wait for the disk: a lease that a crash of the database undoes costs a second look at most, since
 * each turn locks its conversation and reads what is pending in its own transaction.
 */
export async function leaseConversations(
  storage: Storage,
  limit: number,
  leaseMs: number,
): Promise<ConversationLease[]> {
  return storage.workerStatement<ConversationLease & Record<string, unknown>>(
    `WITH due AS MATERIALIZED (
       SELECT workspace_id, id, leased_until > '-infinity' AS was_abandoned FROM conversations
       WHERE next_due_at <= clock_timestamp() AND leased_until < clock_timestamp()
       ORDER BY next_due_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)
     UPDATE conversations c SET lease_epoch = c.lease_epoch + 1,
       leased_until = clock_timestamp() + $2 * interval '1 millisecond'
     FROM due, (SELECT set_config('synchronous_commit', 'off', true) AS set OFFSET 0) AS unhurried
     WHERE c.workspace_id = due.workspace_id AND c.id = due.id AND unhurried.set IS NOT NULL
     RETURNING c.workspace_id AS "workspaceId", c.id AS "conversationId", c.lease_epoch AS epoch,
       due.was_abandoned AS "wasAbandoned"`,
    [limit, leaseMs],
    'inbox-lease-conversations',
  );
}

export type PendingEvent = StoredEvent<MessageEvent>;

export type TurnStart =
  /** The lease is no longer ours: a woken zombie must stop here. */
  { readonly kind: 'lost' } | { readonly kind: 'nothing' } | { readonly kind: 'next'; readonly next: PendingEvent };

/**
 * Locks the conversation for this transaction if the lease is still ours, and gives its next event. Postgres ends the
 * transaction when it is left alone for `leaseMs`, so that a stopped process does not keep the lock.
 *
 * Which event is next (promise 3): A comes before B if A was answered before B was sent; of those in flight together the
 * provider's time stamp decides, then the delivery, then the place in it. `position` numbers the batches in which
 * deliveries were committed; `after_position` is the last batch that its gateway had answered when the request came in.
 * So A surely precedes B when A's position is at most B's after_position: whoever began to arrive after the smallest
 * pending position must wait.
 *
 * Where the lock was waited for, an event that was committed meanwhile is not seen yet. That is right: what was answered
 * before it was normalised before it, and the end of the turn looks again.
 */
export async function startTurn(tx: WorkspaceTx, lease: ConversationLease, leaseMs: number): Promise<TurnStart> {
  const [row] = await tx.query<PendingRow>(
    `WITH locked AS MATERIALIZED (
       SELECT set_config('idle_in_transaction_session_timeout', $4, true) FROM conversations
       WHERE workspace_id = $1 AND id = $2 AND lease_epoch = $3 FOR NO KEY UPDATE)
     SELECT next.* FROM locked LEFT JOIN LATERAL (
       SELECT e.id, e.delivery_id AS "deliveryId", e.account_id AS "accountId", e.payload, e.attempts,
         e.is_test AS "isTest", e.received_at AS "receivedAt", e.position, e.after_position AS "afterPosition"
       FROM events e
       WHERE e.workspace_id = $1 AND e.conversation_id = $2 AND e.state = 'pending' AND e.after_position <
         (SELECT min(f.position) FROM events f
          WHERE f.workspace_id = $1 AND f.conversation_id = $2 AND f.state = 'pending')
       ORDER BY COALESCE(e.occurred_at, e.received_at), e.delivery_id, e.ordinal LIMIT 1) AS next ON true`,
    [tx.workspaceId, lease.conversationId, lease.epoch, String(leaseMs)],
    'inbox-start-turn',
  );
  if (!row) return { kind: 'lost' };
  const { id, payload, position, afterPosition, ...event } = row;
  if (id === null) return { kind: 'nothing' };
  const places = { position: BigInt(position), afterPosition: BigInt(afterPosition) };
  return { kind: 'next', next: { eventId: id, event: payload, ...places, ...event } };
}

/** All null where nothing is pending. */
interface PendingRow extends Record<string, unknown> {
  readonly id: EventId | null;
  readonly deliveryId: DeliveryId;
  readonly accountId: AccountId;
  readonly payload: MessageEvent;
  readonly attempts: number;
  readonly isTest: boolean;
  readonly receivedAt: Date;
  readonly position: string;
  readonly afterPosition: string;
}

export interface TurnEnd {
  readonly event: PendingEvent;
  readonly state: 'handled' | 'parked';
  readonly reason: string;
  readonly waitKey: string | null;
  readonly turnId: TurnId | null;
  /** Give the conversation back even if more is pending. */
  readonly isLast: boolean;
}

/** What there is after a turn. */
export interface Afterwards {
  /** The conversation still has pending events; where it was given back, it is due at once. */
  readonly hasMore: boolean;
  /** Events wait for the message that this one was. */
  readonly hasWaiting: boolean;
}

/**
 * The end of a turn in one statement: the event is settled, and the conversation given back when nothing more is pending
 * (or `isLast`). It is locked, so whoever adds an event waits and then sets it due anew.
 */
export async function endTurn(tx: WorkspaceTx, lease: ConversationLease, end: TurnEnd): Promise<Afterwards> {
  const [row] = await tx.query<Afterwards & Record<string, unknown>>(
    `WITH settled AS (
       UPDATE events SET state = $3, reason = $4, wait_key = $5, turn_id = $6,
         settled_at = CASE WHEN $3 = 'parked' THEN NULL ELSE clock_timestamp() END
       WHERE workspace_id = $1 AND id = $2),
     after AS MATERIALIZED (
       SELECT EXISTS (SELECT 1 FROM events WHERE workspace_id = $1 AND conversation_id = $7 AND state = 'pending'
                      AND id <> $2) AS has_more,
         EXISTS (SELECT 1 FROM events WHERE workspace_id = $1 AND account_id = $8 AND wait_key = $9
                 AND state = 'parked') AS has_waiting),
     released AS (
       UPDATE conversations c SET leased_until = '-infinity',
         next_due_at = CASE WHEN after.has_more THEN clock_timestamp() END
       FROM after WHERE c.workspace_id = $1 AND c.id = $7 AND c.lease_epoch = $10 AND ($11 OR NOT after.has_more))
     SELECT has_more AS "hasMore", has_waiting AS "hasWaiting" FROM after`,
    [
      tx.workspaceId,
      ...[end.event.eventId, end.state, storableText(end.reason), end.waitKey && storableText(end.waitKey), end.turnId],
      ...[lease.conversationId, end.event.accountId, storableText(end.event.event.providerMessageId)],
      ...[lease.epoch, end.isLast],
    ],
    'inbox-end-turn',
  );
  return row ?? { hasMore: false, hasWaiting: false };
}

export async function buryEvent(tx: WorkspaceTx, eventId: EventId, reason: string): Promise<void> {
  await tx.query(
    `UPDATE events SET state = 'dead', reason = $3, settled_at = clock_timestamp() WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, eventId, storableText(reason)],
    'inbox-bury-event',
  );
}

/** Gives the conversation back; `delayMs` puts the next turn off. With nothing pending it is no longer due. */
export async function releaseConversation(tx: WorkspaceTx, lease: ConversationLease, delayMs: number): Promise<void> {
  await tx.query(
    `UPDATE conversations SET leased_until = '-infinity',
       next_due_at = CASE WHEN EXISTS (SELECT 1 FROM events WHERE workspace_id = $1 AND conversation_id = $2
         AND state = 'pending') THEN clock_timestamp() + $4 * interval '1 millisecond' END
     WHERE workspace_id = $1 AND id = $2 AND lease_epoch = $3`,
    [tx.workspaceId, lease.conversationId, lease.epoch, delayMs],
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
