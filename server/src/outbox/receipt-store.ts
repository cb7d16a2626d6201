import type { AccountId, ConversationId, Failure, MessageId, OutboundContent, OutboundId } from '@switchyard/contract';
import type { MessageStatus } from '#conversations';
import type { WorkspaceTx } from '#storage';
import type { OutboxState } from './outbox.ts';
import { moves } from './states.ts';
import { storableJson } from './storable.ts';

/** A message of ours that an event speaks of. `outboundId` null: it was sent by other means (a phone, an import). */
export interface FoundMessage {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  readonly status: MessageStatus;
  readonly providerMessageId: string | null;
  readonly outboundId: OutboundId | null;
  readonly state: OutboxState | null;
  /** Its latest try. */
  readonly attemptId: string | null;
}

export interface ReceiptRow {
  readonly eventId: string;
  readonly messageId: MessageId;
  readonly status: string;
  /** What the message becomes; null: recorded only. */
  readonly newStatus: MessageStatus | null;
  readonly occurredAt: string | null;
  readonly errors: unknown;
  readonly pricing: unknown;
}

const foundColumns = `
  m.id AS "messageId", m.conversation_id AS "conversationId", m.status, m.provider_message_id AS "providerMessageId",
  o.id AS "outboundId", o.state, o.attempt_id AS "attemptId"`;

/** By our attempt id, whichever try of the message it was. Locks the message. */
export async function findByAttempt(
  tx: WorkspaceTx,
  accountId: AccountId,
  attemptId: string,
): Promise<FoundMessage | null> {
  const rows = await tx.query<FoundMessage & Record<string, unknown>>(
    `SELECT ${foundColumns} FROM attempts a
       JOIN outbox o ON o.workspace_id = a.workspace_id AND o.id = a.outbound_id
       JOIN messages m ON m.workspace_id = o.workspace_id AND m.id = o.message_id
      WHERE a.workspace_id = $1 AND a.id = $3 AND a.account_id = $2
      FOR UPDATE OF m`,
    [tx.workspaceId, accountId, attemptId],
    'outbox-find-by-attempt',
  );
  return rows[0] ?? null;
}

/** By the provider's id, of what went out. Locks the message. */
export async function findByProviderId(
  tx: WorkspaceTx,
  accountId: AccountId,
  providerMessageId: string,
): Promise<FoundMessage | null> {
  const rows = await tx.query<FoundMessage & Record<string, unknown>>(
    `SELECT ${foundColumns} FROM messages m
       LEFT JOIN outbox o ON o.workspace_id = m.workspace_id AND o.message_id = m.id
      WHERE m.workspace_id = $1 AND m.account_id = $2 AND m.provider_message_id = $3 AND m.direction = 'out'
      FOR UPDATE OF m`,
    [tx.workspaceId, accountId, providerMessageId],
    'outbox-find-by-provider-id',
  );
  return rows[0] ?? null;
}

/**
 * Until the end of the transaction nobody else can learn or park under this provider id: without it, a status that
 * finds no message and an answer that finds no parked status could pass each other, and the status would wait for ever.
 */
export async function lockProviderId(tx: WorkspaceTx, accountId: AccountId, providerMessageId: string): Promise<void> {
  await tx.query(
    `SELECT pg_advisory_xact_lock(hashtextextended($1 || ':' || $2, 0))`,
    [accountId, providerMessageId],
    'outbox-lock-provider-id',
  );
}

/** Sends of this conversation of which nobody knows yet whether they went out; oldest first, locked with their messages. */
export async function findInDoubt(
  tx: WorkspaceTx,
  accountId: AccountId,
  conversationId: ConversationId,
  withinMs: number,
): Promise<readonly (FoundMessage & { readonly content: OutboundContent })[]> {
  return tx.query<FoundMessage & { readonly content: OutboundContent } & Record<string, unknown>>(
    `SELECT ${foundColumns}, o.content FROM outbox o
       JOIN messages m ON m.workspace_id = o.workspace_id AND m.id = o.message_id
       JOIN attempts a ON a.workspace_id = o.workspace_id AND a.id = o.attempt_id
      WHERE o.workspace_id = $1 AND o.conversation_id = $3 AND o.account_id = $2 AND o.state IN ('sending', 'uncertain')
        AND a.started_at > now() - $4 * interval '1 millisecond'
      ORDER BY o.ordinal
      FOR UPDATE OF m`,
    [tx.workspaceId, accountId, conversationId, withinMs],
    'outbox-find-in-doubt',
  );
}

/** Evidence settles the send: outbox, its last try and the message's provider id. False: it was settled before. */
export async function settleAsSent(
  tx: WorkspaceTx,
  found: FoundMessage,
  proof: { readonly attemptId: string | null; readonly providerMessageId: string },
): Promise<boolean> {
  const rows = await tx.query(
    `WITH moved AS (
       UPDATE outbox SET state = $5, provider_message_id = $4, failure = NULL, settled_at = now(), leased_until = now()
        WHERE workspace_id = $1 AND id = $2 AND state = ANY($6::text[])
        RETURNING id, message_id, attempt_id
     ), tried AS (
       UPDATE attempts a SET outcome = 'sent', provider_message_id = $4, ended_at = COALESCE(a.ended_at, now())
         FROM moved
        WHERE a.workspace_id = $1 AND a.id = COALESCE($3::uuid, moved.attempt_id) AND a.outcome IS DISTINCT FROM 'sent'
     )
     UPDATE messages m SET provider_message_id = COALESCE(m.provider_message_id, $4),
            status = CASE WHEN m.status IN ('queued', 'uncertain', 'failed') THEN 'sent' ELSE m.status END, error = NULL
       FROM moved WHERE m.workspace_id = $1 AND m.id = moved.message_id
       RETURNING m.id`,
    [
      tx.workspaceId,
      found.outboundId,
      proof.attemptId,
      proof.providerMessageId,
      moves.evidence.to,
      moves.evidence.from,
    ],
    'outbox-settle-as-sent',
  );
  return rows.length > 0;
}

/** A receipt says that this try failed: nobody waits for its answer any more. */
export async function settleAsFailed(
  tx: WorkspaceTx,
  found: FoundMessage,
  proof: { readonly attemptId: string | null; readonly providerMessageId: string; readonly failure: Failure },
): Promise<boolean> {
  const rows = await tx.query(
    `WITH moved AS (
       UPDATE outbox SET state = $6, provider_message_id = $4, failure = $5, settled_at = now(), leased_until = now()
        WHERE workspace_id = $1 AND id = $2 AND state = ANY($7::text[]) AND attempt_id = COALESCE($3::uuid, attempt_id)
        RETURNING id, message_id, attempt_id
     ), tried AS (
       UPDATE attempts a SET outcome = 'refused', provider_message_id = $4, failure = $5, ended_at = COALESCE(a.ended_at, now())
         FROM moved WHERE a.workspace_id = $1 AND a.id = moved.attempt_id
     )
     UPDATE messages m SET provider_message_id = COALESCE(m.provider_message_id, $4)
       FROM moved WHERE m.workspace_id = $1 AND m.id = moved.message_id
       RETURNING m.id`,
    [
      tx.workspaceId,
      found.outboundId,
      proof.attemptId,
      proof.providerMessageId,
      storableJson(proof.failure),
      moves.failedReceipt.to,
      moves.failedReceipt.from,
    ],
    'outbox-settle-as-failed',
  );
  return rows.length > 0;
}

/** The receipt, once for an event, and what it makes of the message. */
export async function recordReceipt(tx: WorkspaceTx, receipt: ReceiptRow): Promise<void> {
  await tx.query(
    `WITH told AS (
       UPDATE messages SET status = $5, status_at = COALESCE($6::timestamptz, now()),
              error = CASE WHEN $5 = 'failed' THEN $7::jsonb END
        WHERE workspace_id = $1 AND id = $3 AND $5::text IS NOT NULL
     )
     INSERT INTO receipts (workspace_id, id, message_id, event_id, status, was_applied, error, pricing, occurred_at)
       VALUES ($1, $2::uuid, $3, $2::uuid, $4, $5 IS NOT NULL, $7::jsonb, $8::jsonb, $6::timestamptz)
       ON CONFLICT (workspace_id, id) DO NOTHING`,
    [
      tx.workspaceId,
      receipt.eventId,
      receipt.messageId,
      receipt.status,
      receipt.newStatus,
      receipt.occurredAt,
      receipt.errors === null ? null : storableJson(receipt.errors),
      receipt.pricing === null ? null : storableJson(receipt.pricing),
    ],
    'outbox-record-receipt',
  );
}

/** What a receipt "up to" a message says of those before it in the conversation. */
export async function advanceEarlier(
  tx: WorkspaceTx,
  found: FoundMessage,
  advance: {
    readonly to: MessageStatus;
    readonly from: readonly MessageStatus[];
    readonly occurredAt: string | null;
  },
): Promise<void> {
  await tx.query(
    `UPDATE messages SET status = $4, status_at = COALESCE($6::timestamptz, now()), error = NULL
      WHERE workspace_id = $1 AND conversation_id = $2 AND id < $3 AND direction = 'out'
        AND provider_message_id IS NOT NULL AND status = ANY($5::text[])`,
    [tx.workspaceId, found.conversationId, found.messageId, advance.to, advance.from, advance.occurredAt],
    'outbox-advance-earlier',
  );
}

/** Takes an uncertain message up once more, flagged as a possible duplicate. False: it is not uncertain any more. */
export async function repeatUncertain(tx: WorkspaceTx, outboundId: OutboundId): Promise<boolean> {
  const rows = await tx.query(
    `WITH moved AS (
       UPDATE outbox SET state = $3, due_at = now(), is_possible_duplicate = true, settled_at = NULL
        WHERE workspace_id = $1 AND id = $2 AND state = ANY($4::text[])
        RETURNING id, message_id
     ), told AS (
       UPDATE messages m SET status = 'queued'
         FROM moved WHERE m.workspace_id = $1 AND m.id = moved.message_id AND m.status = 'uncertain'
     )
     SELECT id FROM moved`,
    [tx.workspaceId, outboundId, moves.repeat.to, moves.repeat.from],
    'outbox-repeat-uncertain',
  );
  return rows.length > 0;
}

/** Leaves it uncertain for good: no rule looks at it again. `settledBy` says whether it still asks for a person. */
export async function leaveUncertain(
  tx: WorkspaceTx,
  outboundId: OutboundId,
  settledBy: 'person' | 'nobody',
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE outbox SET leased_until = 'infinity', settled_at = CASE WHEN $3 = 'person' THEN now() END
      WHERE workspace_id = $1 AND id = $2 AND state = 'uncertain' RETURNING id`,
    [tx.workspaceId, outboundId, settledBy],
    'outbox-leave-uncertain',
  );
  return rows.length > 0;
}

/** What was queued for this message, with its state; null: it was not sent from here. */
export async function findOutbound(
  tx: WorkspaceTx,
  messageId: MessageId,
): Promise<{ readonly outboundId: OutboundId; readonly state: OutboxState } | null> {
  const rows = await tx.query<{ outboundId: OutboundId; state: OutboxState }>(
    'SELECT id AS "outboundId", state FROM outbox WHERE workspace_id = $1 AND message_id = $2',
    [tx.workspaceId, messageId],
    'outbox-find-outbound',
  );
  return rows[0] ?? null;
}
