/** SQL of parked events: those that came before the message they belong to. */
import type { AccountId, ConversationId, EventId, InboundEvent, WorkspaceId } from '@switchyard/contract';
import { storableText } from '#conversations';
import type { KnownProviderId } from '#outbox';
import type { Storage, WorkspaceTx } from '#storage';

export interface ParkedEvent {
  readonly eventId: EventId;
  readonly accountId: AccountId;
  readonly conversationId: ConversationId | null;
  readonly event: InboundEvent;
  readonly position: string;
}

const noId = '00000000-0000-0000-0000-000000000000';

/** Of those that wait, in the order in which they came, so many at once. */
export const maxLockedParked = 500;

/** Those that wait for one of these messages and came after `after`, in the order in which they came. */
export async function lockParked(
  tx: WorkspaceTx,
  known: readonly KnownProviderId[],
  after?: Pick<ParkedEvent, 'position' | 'eventId'>,
): Promise<ParkedEvent[]> {
  if (known.length === 0) return [];
  return tx.query<ParkedEvent & Record<string, unknown>>(
    `SELECT e.id AS "eventId", e.account_id AS "accountId", e.conversation_id AS "conversationId", e.payload AS event, e.position
     FROM unnest($2::uuid[], $3::text[]) AS k (account_id, wait_key)
     JOIN events e ON e.workspace_id = $1 AND e.account_id = k.account_id AND e.wait_key = k.wait_key AND e.state = 'parked'
     WHERE (e.position, e.id) > ($5::bigint, $6::uuid)
     ORDER BY e.position, e.id LIMIT $4 FOR UPDATE OF e`,
    [
      tx.workspaceId,
      known.map((one) => one.accountId),
      known.map((one) => storableText(one.providerMessageId)),
      maxLockedParked,
      after?.position ?? -1,
      after?.eventId ?? noId,
    ],
    'inbox-lock-parked',
  );
}

export async function setState(
  tx: WorkspaceTx,
  eventIds: readonly EventId[],
  state: 'handled' | 'pending' | 'ignored',
  reason: string,
): Promise<void> {
  await tx.query(
    `UPDATE events SET state = $3, reason = $4, wait_key = NULL,
       settled_at = CASE WHEN $3 = 'pending' THEN NULL ELSE clock_timestamp() END
     WHERE workspace_id = $1 AND id = ANY($2)`,
    [tx.workspaceId, eventIds, state, reason],
    'inbox-unpark',
  );
}

export interface PassedLimits {
  /** Only those that were parked so lately: passing each other is a matter of seconds. */
  readonly lookBackMs: number;
  /** So many are looked at, the latest first. */
  readonly limit: number;
  readonly maxLooks: number;
}

/** The last that was looked at. `createdAt` as Postgres writes it: a Date would lose what is below a millisecond. */
export interface ParkedCursor {
  readonly createdAt: string;
  readonly id: EventId;
}

export interface PassedFound {
  readonly known: readonly KnownProviderId[];
  /** null: no earlier one is left. */
  readonly next: ParkedCursor | null;
}

/**
 * Messages that are there although events of late, and from before `until`, wait for them: the two passed each other. Each event
 * is found `maxLooks` times, since one that names a message it has no business with would be found for ever. A receipt of a
 * message that the customer wrote, as some providers send it, ends here: no message of ours will ever have that id.
 */
export async function findPassed(
  tx: WorkspaceTx,
  limits: PassedLimits,
  until: ParkedCursor | null = null,
): Promise<PassedFound> {
  const rows = await tx.query<
    { next: ParkedCursor | null } & { [Id in keyof KnownProviderId]: KnownProviderId[Id] | null }
  >(
    `WITH fresh AS MATERIALIZED (
       SELECT id, account_id, wait_key, kind, created_at FROM events
       WHERE workspace_id = $1 AND state = 'parked' AND attempts < $3 AND created_at > now() - $4 * interval '1 millisecond'
         AND created_at <= $5::timestamptz AND (created_at, id) < ($5::timestamptz, $6::uuid)
       ORDER BY created_at DESC, id DESC LIMIT $2),
     passed AS (
       SELECT f.id, f.kind = 'status' AND m.direction = 'in' AS is_theirs FROM fresh f
       CROSS JOIN LATERAL (SELECT direction FROM messages
         WHERE workspace_id = $1 AND account_id = f.account_id AND provider_message_id = f.wait_key LIMIT 1) AS m),
     looked AS (
       UPDATE events e SET attempts = e.attempts + 1,
         state = CASE WHEN is_theirs THEN 'ignored' ELSE e.state END,
         reason = CASE WHEN is_theirs THEN 'a receipt of a message from the customer' ELSE e.reason END,
         settled_at = CASE WHEN is_theirs THEN clock_timestamp() END
       FROM passed WHERE e.workspace_id = $1 AND e.id = passed.id AND e.state = 'parked'
       RETURNING e.account_id, e.wait_key, is_theirs)
     SELECT cut.next, ours.* FROM (
       SELECT CASE WHEN (SELECT count(*) FROM fresh) = $2 THEN (
         SELECT json_build_object('createdAt', created_at::text, 'id', id) FROM fresh ORDER BY created_at, id LIMIT 1) END AS next
     ) AS cut
     LEFT JOIN (SELECT DISTINCT account_id AS "accountId", wait_key AS "providerMessageId"
       FROM looked WHERE NOT is_theirs) AS ours ON true`,
    [
      tx.workspaceId,
      limits.limit,
      limits.maxLooks,
      limits.lookBackMs,
      until?.createdAt ?? 'infinity',
      until?.id ?? noId,
    ],
    'inbox-find-passed',
  );
  const known = rows.flatMap(({ accountId, providerMessageId }) =>
    accountId && providerMessageId ? [{ accountId, providerMessageId }] : [],
  );
  return { known, next: rows[0]?.next ?? null };
}

export interface ParkedTerms {
  readonly lookBackMs: number;
  readonly maxLooks: number;
  readonly keepDays: number;
}

export interface WorkspaceWithParked {
  readonly workspaceId: WorkspaceId;
  /** Something was parked lately. */
  readonly hasFresh: boolean;
  /** Something has waited for too long. */
  readonly isOverdue: boolean;
}

/** By leaps over the index from one workspace to the next: however much is parked, a workspace costs a few looks. */
export async function findWorkspacesWithParked(storage: Storage, terms: ParkedTerms): Promise<WorkspaceWithParked[]> {
  return storage.workerStatement<WorkspaceWithParked & Record<string, unknown>>(
    `WITH RECURSIVE waiting AS (
       (SELECT workspace_id FROM events WHERE state = 'parked' ORDER BY workspace_id LIMIT 1)
       UNION ALL
       SELECT next.workspace_id FROM waiting w, LATERAL (
         SELECT e.workspace_id FROM events e WHERE e.state = 'parked' AND e.workspace_id > w.workspace_id
         ORDER BY e.workspace_id LIMIT 1) AS next),
     looked AS MATERIALIZED (
       SELECT w.workspace_id AS "workspaceId",
         EXISTS (SELECT FROM events e WHERE e.workspace_id = w.workspace_id AND e.state = 'parked' AND e.attempts < $2
                 AND e.created_at > now() - $1 * interval '1 millisecond') AS "hasFresh",
         EXISTS (SELECT FROM events e WHERE e.workspace_id = w.workspace_id AND e.state = 'parked'
                 AND e.created_at < now() - $3 * interval '1 day') AS "isOverdue"
       FROM waiting w)
     SELECT * FROM looked WHERE "hasFresh" OR "isOverdue"`,
    [terms.lookBackMs, terms.maxLooks, terms.keepDays],
    'inbox-workspaces-with-parked',
  );
}

/** So many, the oldest, of those that nobody came for in `days`: they end, with the reason, and stay to be seen. */
export async function expireParked(tx: WorkspaceTx, days: number, limit: number): Promise<number> {
  const rows = await tx.query(
    `WITH overdue AS (
       SELECT id FROM events WHERE workspace_id = $1 AND state = 'parked' AND created_at < now() - $2 * interval '1 day'
       ORDER BY created_at LIMIT $3 FOR UPDATE SKIP LOCKED)
     UPDATE events e SET state = 'ignored', reason = 'its message never came', settled_at = clock_timestamp()
     FROM overdue WHERE e.workspace_id = $1 AND e.id = overdue.id RETURNING e.id`,
    [tx.workspaceId, days, limit],
    'inbox-expire-parked',
  );
  return rows.length;
}
