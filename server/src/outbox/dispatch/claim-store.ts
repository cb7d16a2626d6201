import type { AccountId, AttemptId, OutboundId, WorkspaceId } from '@switchyard/contract';
import type { Storage } from '#storage';
import type { Lane } from '../outbox.ts';
import { moves } from '../states.ts';
import { connectionOf, pairWaitOf } from './claim-facts.ts';
import { lanes } from './limits.ts';
import type { ClaimedMessage } from './walk.ts';

export interface ClaimRequest {
  readonly maxMessages: number;
  readonly maxPerWorkspace: number;
  readonly maxPerAccount: number;
  readonly leaseMs: number;
  /** How long later messages of a conversation wait for one that nobody knows of. */
  readonly uncertainWaitMs: number;
  /** What this process has in flight. */
  readonly busyWorkspaces: ReadonlyMap<WorkspaceId, number>;
  readonly busyAccounts: ReadonlyMap<AccountId, number>;
  /** Whom this process served lately, the longest ago first. */
  readonly servedLately: readonly WorkspaceId[];
  /** Nothing is claimed from these for now. */
  readonly heldLanes: readonly Lane[];
}

export interface Claimed {
  readonly messages: readonly ClaimedMessage[];
  /** False: when it looked, nothing else was queued, due or not. */
  readonly mayBeMoreQueued: boolean;
  /** Of those served lately: for whom something was queued when it looked. */
  readonly stillWaiting: readonly WorkspaceId[];
}

/**
 * Lane by lane every account that has something waiting, found by leaps over the index, so that a flood of one costs the
 * others nothing and an account that is full is not looked at; of each its oldest heads of conversations. Then, within a
 * lane, by the place that each would take among those of its workspace that are on their way from here; of equal places the
 * one whose workspace was served longest ago is first, and age decides only among those of whom nothing is remembered.
 */
const claimSql = `
  WITH RECURSIVE waiting AS (
    (SELECT lane, workspace_id, account_id FROM outbox WHERE state = 'queued'
      ORDER BY lane, workspace_id, account_id LIMIT 1)
    UNION ALL
    SELECT next.lane, next.workspace_id, next.account_id FROM waiting w, LATERAL (
      SELECT o.lane, o.workspace_id, o.account_id FROM outbox o
       WHERE o.state = 'queued' AND (o.lane, o.workspace_id, o.account_id) > (w.lane, w.workspace_id, w.account_id)
       ORDER BY o.lane, o.workspace_id, o.account_id LIMIT 1) next
  ), open AS MATERIALIZED (
    SELECT w.*, COALESCE(b.count, 0) AS in_workspace, COALESCE(a.count, 0) AS in_account, s.place AS served
      FROM waiting w LEFT JOIN unnest($5::uuid[], $6::int[]) AS b (id, count) ON b.id = w.workspace_id
      LEFT JOIN unnest($7::uuid[], $8::int[]) AS a (id, count) ON a.id = w.account_id
      LEFT JOIN unnest($13::uuid[]) WITH ORDINALITY AS s (id, place) ON s.id = w.workspace_id
     WHERE w.lane = ANY($12::text[])
  ), heads AS (
    SELECT head.*, array_position($12::text[], w.lane) AS lane_rank, w.in_workspace, w.in_account, w.served FROM open w, LATERAL (
      SELECT o.workspace_id, o.id, o.account_id, o.due_at FROM outbox o
       WHERE o.state = 'queued' AND o.lane = w.lane AND o.workspace_id = w.workspace_id AND o.account_id = w.account_id
         AND o.due_at <= now()
         AND NOT EXISTS (
           SELECT 1 FROM outbox earlier
            WHERE earlier.workspace_id = o.workspace_id AND earlier.conversation_id = o.conversation_id
              AND earlier.ordinal < o.ordinal AND earlier.state IN ('queued', 'claimed', 'sending', 'uncertain')
              AND (earlier.state <> 'uncertain' OR earlier.due_at > now() - $9 * interval '1 millisecond'))
       ORDER BY o.due_at, o.id LIMIT LEAST($1::int, $3::int)) head
     WHERE w.in_workspace < $2 AND w.in_account < $3
  ), ranked AS (
    SELECT *, in_workspace + row_number() OVER (PARTITION BY workspace_id ORDER BY lane_rank, due_at, id) AS of_workspace,
           in_account + row_number() OVER (PARTITION BY account_id ORDER BY lane_rank, due_at, id) AS of_account FROM heads
  ), picked AS (
    SELECT r.* FROM ranked r WHERE r.of_workspace <= $2 AND r.of_account <= $3
     ORDER BY r.lane_rank, r.of_workspace, r.served NULLS FIRST, r.due_at, r.id LIMIT $1
  ), locked AS (
    SELECT o.workspace_id, o.id, p.lane_rank, p.of_workspace FROM outbox o
      JOIN picked p ON p.workspace_id = o.workspace_id AND p.id = o.id
     WHERE o.state = ANY($11::text[]) FOR UPDATE OF o SKIP LOCKED
  ), claimed AS (
    UPDATE outbox o SET state = $10, lease_epoch = o.lease_epoch + 1, leased_until = now() + $4 * interval '1 millisecond'
      FROM locked l, (SELECT set_config('synchronous_commit', 'off', true) AS set OFFSET 0) AS unhurried
     WHERE o.workspace_id = l.workspace_id AND o.id = l.id AND o.state = ANY($11::text[]) AND unhurried.set IS NOT NULL
      RETURNING o.*, l.lane_rank, l.of_workspace
  )
  SELECT c.workspace_id AS "workspaceId", c.id AS "outboundId", c.account_id AS "accountId",
         c.conversation_id AS "conversationId", c.message_id AS "messageId", c.lane, c.content, c.reply_to AS "replyTo",
         c.lease_epoch AS "leaseEpoch", c.attempts AS tries,
         (extract(epoch FROM now() - c.created_at) * 1000)::float8 AS "ageMs",
         (c.failure->>'waitedMs')::float8 AS "previousWaitMs", v.address,
         (extract(epoch FROM now() - v.last_inbound_at) * 1000)::float8 AS "inboundAgeMs",
         COALESCE(v.free_entry_until > now(), false) AS "isFreeEntryOpen",
         ${pairWaitOf('c')} AS "pairWaitMs", ${connectionOf('ac')} AS connection, rest."isMoreQueued",
         CASE WHEN row_number() OVER (ORDER BY c.lane_rank, c.of_workspace, c.due_at) = 1 THEN
           (SELECT array_agg(DISTINCT workspace_id) FROM open WHERE served IS NOT NULL) END AS "stillWaiting"
    FROM (SELECT EXISTS (SELECT 1 FROM outbox q WHERE q.state = 'queued' AND NOT EXISTS (
            SELECT 1 FROM locked l WHERE l.workspace_id = q.workspace_id AND l.id = q.id)) AS "isMoreQueued") AS rest
    LEFT JOIN (claimed c
      JOIN conversations v ON v.workspace_id = c.workspace_id AND v.id = c.conversation_id
      JOIN accounts ac ON ac.workspace_id = c.workspace_id AND ac.id = c.account_id) ON true
   ORDER BY c.lane_rank, c.of_workspace, c.due_at`;

/**
 * Takes up to `maxMessages` heads of conversations, one statement, role worker. Two processes never hold the same
 * message, nor two messages of one conversation. The commit does not wait for the disk: a claim that a crash undoes is
 * queued again, and the mark before the request is another commit, which does wait.
 */
export async function claimHeads(storage: Storage, request: ClaimRequest): Promise<Claimed> {
  const rows = await storage.workerStatement<ClaimRow>(
    claimSql,
    [
      request.maxMessages,
      request.maxPerWorkspace,
      request.maxPerAccount,
      request.leaseMs,
      [...request.busyWorkspaces.keys()],
      [...request.busyWorkspaces.values()],
      [...request.busyAccounts.keys()],
      [...request.busyAccounts.values()],
      request.uncertainWaitMs,
      moves.claim.to,
      moves.claim.from,
      lanes.filter((lane) => !request.heldLanes.includes(lane)),
      request.servedLately,
    ],
    'outbox-claim',
  );
  const { isMoreQueued = true, stillWaiting } = rows[0] ?? {};
  return { messages: rows.filter(isClaimed), mayBeMoreQueued: isMoreQueued, stillWaiting: stillWaiting ?? [] };
}

/** One row at least: of one without an id only the last columns count. The first row alone names who still waits. */
type ClaimRow = Record<string, unknown> & {
  readonly isMoreQueued: boolean;
  readonly stillWaiting: readonly WorkspaceId[] | null;
} & (ClaimedMessage | { readonly outboundId: null });

function isClaimed(row: ClaimRow): row is ClaimRow & ClaimedMessage {
  return row.outboundId !== null;
}

export interface Mark {
  readonly workspaceId: WorkspaceId;
  readonly outboundId: OutboundId;
  readonly leaseEpoch: string;
  readonly attemptId: AttemptId;
}

/**
 * The line after which a crash means "may have been sent". Committed when this resolves; gives the number of the try for
 * each mark that held. One that is missing has lost its lease: it must not be sent.
 */
export async function markSending(
  storage: Storage,
  marks: readonly Mark[],
  leaseMs: number,
): Promise<ReadonlyMap<AttemptId, number>> {
  const rows = await storage.workerStatement<{ attemptId: AttemptId; number: number }>(
    `WITH marked AS (
       UPDATE outbox o SET state = '${moves.mark.to}', attempt_id = m.attempt_id, attempts = o.attempts + 1,
              leased_until = now() + $2 * interval '1 millisecond'
         FROM json_to_recordset($1) AS m (workspace_id uuid, id uuid, lease_epoch bigint, attempt_id uuid)
        WHERE o.workspace_id = m.workspace_id AND o.id = m.id AND o.lease_epoch = m.lease_epoch
          AND o.state IN (${moves.mark.from.map((state) => `'${state}'`).join(', ')}) AND o.leased_until > now()
        RETURNING o.workspace_id, o.attempt_id, o.id, o.account_id, o.attempts
     )
     INSERT INTO attempts (workspace_id, id, outbound_id, account_id, number)
       SELECT workspace_id, attempt_id, id, account_id, attempts FROM marked
       RETURNING id AS "attemptId", number`,
    [JSON.stringify(marks.map(toColumns)), leaseMs],
    'outbox-mark',
  );
  return new Map(rows.map((row) => [row.attemptId, row.number]));
}

/** Nothing for the planner to look at: with arrays, and states as parameters, it made a plan of its own for every batch. */
function toColumns({ workspaceId, outboundId, leaseEpoch, attemptId }: Mark): object {
  return { workspace_id: workspaceId, id: outboundId, lease_epoch: leaseEpoch, attempt_id: attemptId };
}

export interface Release {
  readonly workspaceId: WorkspaceId;
  readonly outboundId: OutboundId;
  readonly leaseEpoch: string;
  /** 0: at once, in its old place. */
  readonly waitMs: number;
}

/** Gives claimed messages back: nothing has left. */
export async function releaseClaims(storage: Storage, releases: readonly Release[]): Promise<void> {
  await storage.workerStatement(
    `UPDATE outbox o SET state = $5, leased_until = now(),
            due_at = CASE WHEN r.wait_ms > 0 THEN now() + r.wait_ms * interval '1 millisecond' ELSE o.due_at END
       FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::float8[]) AS r (workspace_id, id, lease_epoch, wait_ms)
      WHERE o.workspace_id = r.workspace_id AND o.id = r.id AND o.lease_epoch = r.lease_epoch AND o.state = ANY($6::text[])`,
    [
      releases.map((release) => release.workspaceId),
      releases.map((release) => release.outboundId),
      releases.map((release) => release.leaseEpoch),
      releases.map((release) => release.waitMs),
      moves.release.to,
      moves.release.from,
    ],
    'outbox-release',
  );
}
