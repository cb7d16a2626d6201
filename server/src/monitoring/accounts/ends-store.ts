/** SQL of the calendar of ends: secrets and webhook tokens of accounts, and API keys. */
import type { AccountId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';

export interface EndRow {
  readonly [column: string]: unknown;
  readonly kind: 'secret' | 'webhook-token' | 'api-key';
  readonly accountId: AccountId | null;
  readonly accountName: string | null;
  readonly name: string;
  readonly endsAt: Date;
}

export const maxEnds = 500;

/**
 * Soonest first. A secret that has ended is told as long as it is held, a key until some time after its end (`since`), a
 * replaced token not once it has ended.
 */
export function listEndRows(tx: WorkspaceTx, since: Date, now: Date): Promise<EndRow[]> {
  return tx.query<EndRow>(
    `SELECT 'secret' AS kind, a.id AS "accountId", a.name AS "accountName", s.name, s.ends_at AS "endsAt"
     FROM secret_dates s JOIN accounts a ON a.workspace_id = s.workspace_id AND a.id = s.account_id
     WHERE s.workspace_id = $1 AND s.ends_at IS NOT NULL AND a.deleted_at IS NULL
     UNION ALL
     SELECT 'webhook-token', a.id, a.name, 'webhook token', t.retires_at
     FROM webhook_tokens t JOIN accounts a ON a.workspace_id = t.workspace_id AND a.id = t.account_id
     WHERE t.workspace_id = $1 AND t.retires_at > $3 AND a.deleted_at IS NULL
     UNION ALL
     SELECT 'api-key', NULL, NULL, k.name, k.expires_at
     FROM api_keys k WHERE k.workspace_id = $1 AND k.expires_at > $2 AND k.revoked_at IS NULL
     ORDER BY "endsAt", name LIMIT ${maxEnds}`,
    [tx.workspaceId, since, now],
  );
}
