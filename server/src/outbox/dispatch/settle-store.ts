import type { AccountId, AttemptId, DeadLetterId, Failure, MessageId, OutboundId } from '@switchyard/contract';
import type { MessageStatus } from '#conversations';
import type { WorkspaceTx } from '#storage';
import type { KnownProviderId, OutboxState } from '../outbox.ts';
import { storableJson } from '../storable.ts';

/**
 * What became of one message. Fenced: by the attempt where there was one, else by the lease; and by `from`, so that what
 * a receipt or a sweep has settled meanwhile stays as it is.
 */
export interface Settlement {
  readonly outboundId: OutboundId;
  readonly accountId: AccountId;
  readonly attemptId: AttemptId | null;
  readonly leaseEpoch: string | null;
  readonly from: readonly OutboxState[];
  readonly to: OutboxState;
  readonly messageStatus: MessageStatus;
  readonly attemptOutcome: 'sent' | 'refused' | 'unreachable' | 'uncertain' | null;
  readonly providerMessageId: string | null;
  /** With `waitedMs` where it is tried again: the next wait is reckoned from it. */
  readonly failure: (Failure & { readonly waitedMs?: number }) | null;
  readonly milliseconds: number | null;
  /** To `queued`: until the next try. To `uncertain`: until the repeat rule speaks. Else 0. */
  readonly waitMs: number;
  readonly deadLetter: { readonly id: DeadLetterId; readonly reason: string } | null;
}

const settleSql = `
  WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($2::jsonb) AS g (
      "outboundId" uuid, "accountId" uuid, "attemptId" uuid, "leaseEpoch" bigint, "from" text[], "to" text,
      "messageStatus" text, "attemptOutcome" text, "providerMessageId" text, failure jsonb, milliseconds real,
      "waitMs" float8, "deadLetter" jsonb)
  ), locked AS MATERIALIZED (
    SELECT m.id, o.id AS outbound_id FROM given g
      JOIN outbox o ON o.workspace_id = $1 AND o.id = g."outboundId"
      JOIN messages m ON m.workspace_id = $1 AND m.id = o.message_id
     ORDER BY m.id FOR UPDATE OF m
  ), tried AS (
    UPDATE attempts a SET ended_at = COALESCE(a.ended_at, now()), milliseconds = g.milliseconds,
           outcome = CASE WHEN a.outcome = 'sent' THEN a.outcome ELSE g."attemptOutcome" END,
           provider_message_id = COALESCE(g."providerMessageId", a.provider_message_id),
           failure = CASE WHEN a.outcome = 'sent' THEN a.failure
                          WHEN a.outcome = 'uncertain' OR a.failure ? 'wasInDoubt'
                          THEN g.failure || '{"wasInDoubt": true}' ELSE g.failure END
      FROM given g WHERE a.workspace_id = $1 AND a.id = g."attemptId" AND a.id >= $3::uuid AND a.id <= $4::uuid
  ), moved AS (
    UPDATE outbox o SET state = g."to", failure = g.failure,
           provider_message_id = COALESCE(g."providerMessageId", o.provider_message_id),
           due_at = CASE g."to" WHEN 'queued' THEN now() + g."waitMs" * interval '1 millisecond'
                                WHEN 'uncertain' THEN now() ELSE o.due_at END,
           leased_until = CASE g."to" WHEN 'uncertain' THEN now() + g."waitMs" * interval '1 millisecond' ELSE now() END,
           settled_at = CASE WHEN g."to" IN ('sent', 'refused', 'dead') THEN now() END
      FROM given g JOIN locked l ON l.outbound_id = g."outboundId"
     WHERE o.workspace_id = $1 AND o.id = g."outboundId" AND o.state = ANY(g."from")
       AND CASE WHEN g."attemptId" IS NULL THEN o.lease_epoch = g."leaseEpoch" ELSE o.attempt_id = g."attemptId" END
     RETURNING o.id, o.message_id, g."messageStatus", g."providerMessageId", g.failure, g."accountId", g."deadLetter"
  ), told AS (
    UPDATE messages m SET
           status = CASE WHEN m.status IN ('queued', 'uncertain') THEN moved."messageStatus" ELSE m.status END,
           status_at = CASE WHEN m.status IN ('queued', 'uncertain') THEN now() ELSE m.status_at END,
           error = CASE WHEN moved."messageStatus" = 'failed' THEN moved.failure END,
           provider_message_id = CASE
             WHEN moved."providerMessageId" IS NULL OR EXISTS (
               SELECT 1 FROM messages other WHERE other.workspace_id = $1 AND other.account_id = moved."accountId"
                  AND other.provider_message_id = moved."providerMessageId" AND other.id <> m.id)
             THEN m.provider_message_id ELSE moved."providerMessageId" END
      FROM moved WHERE m.workspace_id = $1 AND m.id = moved.message_id
  ), buried AS (
    INSERT INTO dead_letters (workspace_id, id, account_id, outbound_id, reason, detail)
      SELECT $1, ("deadLetter"->>'id')::uuid, "accountId", id, "deadLetter"->>'reason', failure->>'detail'
        FROM moved WHERE "deadLetter" IS NOT NULL
  )
  SELECT id AS "outboundId", message_id AS "messageId", "accountId", "providerMessageId",
         CASE WHEN "providerMessageId" IS NOT NULL
              THEN pg_advisory_xact_lock(hashtextextended("accountId" || ':' || "providerMessageId", 0))::text END
    FROM (SELECT * FROM moved ORDER BY "accountId", "providerMessageId") AS m`;

export interface Settled {
  readonly outboundId: OutboundId;
  readonly messageId: MessageId;
  readonly accountId: AccountId;
  readonly providerMessageId: string | null;
}

/**
 * Records what became of several messages of one workspace, in one statement of the caller's transaction: outbox, try,
 * message and dead letter. A try that turns out to have failed after all keeps that it was in doubt (`wasInDoubt`): so long
 * later messages could pass it. Gives those that moved. Locks their messages, and the provider ids that became known.
 */
export function settle(tx: WorkspaceTx, settlements: readonly Settlement[]): Promise<Settled[]> {
  return tx.query<Settled & Record<string, unknown>>(
    settleSql,
    [tx.workspaceId, storableJson(settlements), ...boundsOf(settlements)],
    'outbox-settle',
  );
}

/** The first and the last try: with them Postgres leaves out the partitions of all other days before it begins. */
function boundsOf(settlements: readonly Settlement[]): readonly [string | null, string | null] {
  const ids = settlements.flatMap(({ attemptId }) => attemptId ?? []).toSorted();
  return [ids[0] ?? null, ids.at(-1) ?? null];
}

export function knownIds(settled: readonly Settled[]): KnownProviderId[] {
  return settled.flatMap(({ accountId, providerMessageId }) =>
    providerMessageId === null ? [] : [{ accountId, providerMessageId }],
  );
}
