import type { Storage, WorkspaceTx } from '#storage';

export interface IdempotencyEntry {
  /** Who asks, the method and the path: one caller's key says nothing of another's. */
  readonly route: string;
  readonly key: string;
  readonly requestHash: string;
}

/** True for the first under this key; a day-old one may be taken again. */
export async function claimKey(tx: WorkspaceTx, entry: IdempotencyEntry): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO idempotency_keys AS k (workspace_id, route, key, request_hash) VALUES ($1, $2, $3, $4)
     ON CONFLICT (workspace_id, route, key) DO UPDATE SET request_hash = excluded.request_hash, status = NULL, response = NULL, created_at = now()
     WHERE k.created_at < now() - interval '1 day' RETURNING key`,
    [tx.workspaceId, entry.route, entry.key, entry.requestHash],
    'api-claim-key',
  );
  return rows.length === 1;
}

export interface KeptKey {
  readonly requestHash: string;
  /** null: no answer has been kept yet. */
  readonly status: number | null;
  /** base64 of the sealed answer. */
  readonly response: string | null;
  readonly ageMs: number;
}

export async function findKey(tx: WorkspaceTx, entry: IdempotencyEntry): Promise<KeptKey | null> {
  const rows = await tx.query<KeptKey & Record<string, unknown>>(
    `SELECT request_hash AS "requestHash", status, response#>>'{}' AS response,
       (extract(epoch FROM now() - created_at) * 1000)::float8 AS "ageMs" FROM idempotency_keys
     WHERE workspace_id = $1 AND route = $2 AND key = $3`,
    [tx.workspaceId, entry.route, entry.key],
    'api-find-key',
  );
  return rows[0] ?? null;
}

export async function keepAnswer(
  tx: WorkspaceTx,
  entry: IdempotencyEntry,
  answer: { readonly status: number; readonly response: string },
): Promise<void> {
  await tx.query(
    `UPDATE idempotency_keys SET status = $4, response = to_jsonb($5::text) WHERE workspace_id = $1 AND route = $2 AND key = $3`,
    [tx.workspaceId, entry.route, entry.key, answer.status, answer.response],
    'api-keep-answer',
  );
}

export async function forgetKey(tx: WorkspaceTx, entry: IdempotencyEntry): Promise<void> {
  await tx.query(
    'DELETE FROM idempotency_keys WHERE workspace_id = $1 AND route = $2 AND key = $3 AND status IS NULL',
    [tx.workspaceId, entry.route, entry.key],
    'api-forget-key',
  );
}

/** Those that may be taken again anyway; a slice at a time. Gives how many went. */
export async function deleteOldKeys(storage: Storage, maxRows = 10_000): Promise<number> {
  const rows = await storage.workerStatement(
    `DELETE FROM idempotency_keys k USING (
       SELECT workspace_id, route, key FROM idempotency_keys WHERE created_at < now() - interval '1 day' LIMIT $1) old
     WHERE k.workspace_id = old.workspace_id AND k.route = old.route AND k.key = old.key RETURNING k.key`,
    [maxRows],
    'api-delete-old-keys',
  );
  return rows.length;
}
