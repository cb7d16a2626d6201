/** SQL of what the health of accounts is judged by. Each statement reads one day at most, by the keys' own time. */
import type { AccountId } from '@switchyard/contract';
import { firstIdOf, type WorkspaceTx } from '#storage';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The most codes of errors that are told of an account. */
const maxCodes = 5;

export interface SendsOfDay {
  readonly [column: string]: unknown;
  readonly accountId: AccountId;
  readonly sent: number;
  readonly failed: number;
  readonly recentFailures: number;
  readonly begun: number;
}

/** Of the last 24 hours; `recentFailures` of the last hour. */
export function countSends(tx: WorkspaceTx, accountIds: readonly AccountId[], now: Date): Promise<SendsOfDay[]> {
  return tx.query<SendsOfDay>(
    `SELECT account_id AS "accountId",
            count(*) FILTER (WHERE status IN ('sent', 'delivered', 'read', 'played'))::integer AS sent,
            count(*) FILTER (WHERE status = 'failed')::integer AS failed,
            count(*) FILTER (WHERE status = 'failed' AND coalesce(status_at, created_at) > $4)::integer
              AS "recentFailures",
            count(DISTINCT conversation_id) FILTER (WHERE type = 'template')::integer AS begun
     FROM messages
     WHERE workspace_id = $1 AND id >= $3 AND account_id = ANY($2) AND direction = 'out' AND NOT is_history
       AND NOT is_test AND created_at > $5
     GROUP BY account_id`,
    [tx.workspaceId, accountIds, dayBefore(now), new Date(now.getTime() - hourMs), new Date(now.getTime() - dayMs)],
    'health-count-sends',
  );
}

export interface ErrorsOfDay {
  readonly [column: string]: unknown;
  readonly accountId: AccountId;
  readonly code: string;
  readonly count: number;
}

/** The most frequent codes of each account, those first that come most often. */
export function countErrors(tx: WorkspaceTx, accountIds: readonly AccountId[], now: Date): Promise<ErrorsOfDay[]> {
  return tx.query<ErrorsOfDay>(
    `SELECT "accountId", code, count FROM (
       SELECT account_id AS "accountId", coalesce(error ->> 'providerCode', error ->> 'code', 'unknown') AS code,
              count(*)::integer AS count,
              row_number() OVER (PARTITION BY account_id ORDER BY count(*) DESC) AS place
       FROM messages
       WHERE workspace_id = $1 AND id >= $3 AND account_id = ANY($2) AND direction = 'out' AND status = 'failed'
         AND NOT is_history AND NOT is_test
       GROUP BY 1, 2) e
     WHERE place <= $4 ORDER BY "accountId", count DESC, code`,
    [tx.workspaceId, accountIds, dayBefore(now), maxCodes],
    'health-count-errors',
  );
}

export function countReconnects(
  tx: WorkspaceTx,
  accountIds: readonly AccountId[],
  now: Date,
): Promise<{ accountId: AccountId; count: number }[]> {
  return tx.query<{ accountId: AccountId; count: number }>(
    `SELECT account_id AS "accountId", count(*)::integer AS count FROM connection_changes
     WHERE workspace_id = $1 AND account_id = ANY($2) AND at > $3 AND next = 'connecting' GROUP BY account_id`,
    [tx.workspaceId, accountIds, new Date(now.getTime() - dayMs)],
    'health-count-reconnects',
  );
}

/** In the middle of the last hour's messages: from the provider's time to ours. */
export function measureLag(
  tx: WorkspaceTx,
  accountIds: readonly AccountId[],
  now: Date,
): Promise<{ accountId: AccountId; lagMs: number }[]> {
  return tx.query<{ accountId: AccountId; lagMs: number }>(
    `SELECT account_id AS "accountId",
            greatest(0, 1000 * percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM received_at - occurred_at)))
              AS "lagMs"
     FROM events
     WHERE workspace_id = $1 AND id >= $3 AND account_id = ANY($2) AND kind = 'message' AND occurred_at IS NOT NULL
       AND NOT is_test
     GROUP BY account_id`,
    [tx.workspaceId, accountIds, firstIdOf(now.getTime() - hourMs)],
    'health-measure-lag',
  );
}

function dayBefore(now: Date): string {
  return firstIdOf(now.getTime() - dayMs);
}
