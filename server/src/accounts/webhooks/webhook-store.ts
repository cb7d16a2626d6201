/** SQL of what is known of an account's webhooks: the last authentic one, and what the provider says it sends. */
import type { AccountId } from '@switchyard/contract';
import { firstIdOf, type WorkspaceTx } from '#storage';
import type { ConnectionStatus } from '../connection/connection.ts';

interface NotedWebhook {
  readonly [column: string]: unknown;
  readonly accountId: AccountId;
  readonly wasActive: boolean;
  readonly connectionStatus: ConnectionStatus;
  readonly connectionChangedAt: Date | null;
  readonly provider: string;
}

/** `accountIds[i]` had its last authentic webhook at `times[i]`; what is replayed came before and says nothing of now. */
export function noteWebhooks(
  tx: WorkspaceTx,
  accountIds: readonly AccountId[],
  times: readonly Date[],
): Promise<NotedWebhook[]> {
  return tx.query<NotedWebhook>(
    `UPDATE accounts a SET last_webhook_at = n.at,
       last_activity_at = greatest(a.last_activity_at, n.at), webhook_status = 'active', webhook_error = NULL
     FROM unnest($2::uuid[], $3::timestamptz[]) AS n (id, at)
     JOIN accounts b ON b.workspace_id = $1 AND b.id = n.id
     WHERE a.workspace_id = $1 AND a.id = n.id AND a.deleted_at IS NULL
       AND (a.last_webhook_at IS NULL OR n.at > a.last_webhook_at)
     RETURNING a.id AS "accountId", b.webhook_status = 'active' AS "wasActive",
       a.connection_status AS "connectionStatus", a.connection_changed_at AS "connectionChangedAt", a.provider`,
    [tx.workspaceId, accountIds, times],
  );
}

export async function noteWebhookError(tx: WorkspaceTx, accountId: AccountId, error: string): Promise<void> {
  await tx.query(
    `UPDATE accounts SET webhook_status = 'error', webhook_error = $3, updated_at = now()
     WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, accountId, error],
  );
}

/**
 * Of each account with a run of refused webhooks, unless something authentic came since, on whatever route: what comes by
 * an app's shared route is known by its events. A run by something else than its token marks an account only before its
 * first authentic one. Gives those for which it is news.
 */
export async function noteRefusedWebhooks(
  tx: WorkspaceTx,
  runs: readonly { readonly accountId: AccountId; readonly error: string; readonly isByToken: boolean }[],
  since: Date,
): Promise<readonly AccountId[]> {
  const rows = await tx.query<{ id: AccountId }>(
    `UPDATE accounts a SET webhook_status = 'error', webhook_error = r.error, updated_at = now()
     FROM unnest($2::uuid[], $3::text[], $6::boolean[]) AS r (id, error, is_by_token)
     WHERE a.workspace_id = $1 AND a.id = r.id AND a.deleted_at IS NULL
       AND (a.last_webhook_at IS NULL OR r.is_by_token AND a.last_webhook_at < $4) AND a.webhook_status <> 'error'
       AND NOT EXISTS (SELECT FROM events e WHERE e.workspace_id = $1 AND e.account_id = a.id AND e.id >= $5::uuid)
     RETURNING a.id`,
    [
      tx.workspaceId,
      runs.map(({ accountId }) => accountId),
      runs.map(({ error }) => error),
      since,
      firstIdOf(since.getTime()),
      runs.map(({ isByToken }) => isByToken),
    ],
  );
  return rows.map(({ id }) => id);
}

export async function keepSubscription(
  tx: WorkspaceTx,
  accountId: AccountId,
  events: readonly string[],
  at: Date,
): Promise<void> {
  await tx.query(
    `UPDATE accounts SET subscribed_webhook_events = $3, subscription_checked_at = $4, updated_at = now()
     WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, accountId, events, at],
  );
}
