/** SQL of `secret_dates`: when an account's secrets were set, and when they end. */
import type { AccountId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';

/** Set just now; their ends are not known until somebody tells them. */
export async function noteSecretsSet(tx: WorkspaceTx, accountId: AccountId, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await tx.query(
    `INSERT INTO secret_dates (workspace_id, account_id, name) SELECT $1, $2, unnest($3::text[])
     ON CONFLICT (workspace_id, account_id, name) DO UPDATE SET set_at = now(), ends_at = NULL`,
    [tx.workspaceId, accountId, names],
  );
}

export async function noteSecretEnds(
  tx: WorkspaceTx,
  accountId: AccountId,
  ends: readonly (readonly [name: string, endsAt: Date | null])[],
): Promise<void> {
  for (const [name, endsAt] of ends) {
    await tx.query(
      `INSERT INTO secret_dates (workspace_id, account_id, name, ends_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (workspace_id, account_id, name) DO UPDATE SET ends_at = EXCLUDED.ends_at`,
      [tx.workspaceId, accountId, name, endsAt],
    );
  }
}

export async function dropSecretDates(tx: WorkspaceTx, accountId: AccountId, kept: readonly string[]): Promise<void> {
  await tx.query('DELETE FROM secret_dates WHERE workspace_id = $1 AND account_id = $2 AND name <> ALL($3)', [
    tx.workspaceId,
    accountId,
    kept,
  ]);
}
