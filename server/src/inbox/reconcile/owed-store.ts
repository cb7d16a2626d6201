/**
 * SQL of the looks that are owed. An account has one span at most: what is owed more widens it. It is gone once a look has
 * had all of it, so whatever is killed, flushed or refused in between, it is still known what is to be asked for.
 */
import type { AccountId, Provider, WorkspaceId } from '@switchyard/contract';
import type { Storage, Tx, WorkspaceTx } from '#storage';
import type { OwedLook, Span } from './reconciliation.ts';

const widened = `wanted_from = LEAST(owed_looks.wanted_from, EXCLUDED.wanted_from),
  wanted_until = GREATEST(owed_looks.wanted_until, EXCLUDED.wanted_until)`;

/** By the worker, for every account of these providers that is switched on: due at once. Gives their number. */
export async function oweEveryLook(tx: Tx, providers: readonly Provider[], { from, until }: Span): Promise<number> {
  const rows = await tx.query(
    `INSERT INTO owed_looks (workspace_id, account_id, wanted_from, wanted_until)
     SELECT a.workspace_id, a.id, $2, $3
     FROM accounts a JOIN workspaces w ON w.workspace_id = a.workspace_id AND w.deleted_at IS NULL
     WHERE a.provider = ANY($1) AND a.is_active AND a.deleted_at IS NULL ORDER BY a.workspace_id, a.id
     ON CONFLICT (workspace_id, account_id) DO UPDATE SET ${widened}, due_at = now() RETURNING account_id`,
    [providers, from, until],
  );
  return rows.length;
}

/** Due at once. */
export async function oweLook(tx: WorkspaceTx, accountId: AccountId, { from, until }: Span): Promise<void> {
  await tx.query(
    `INSERT INTO owed_looks (workspace_id, account_id, wanted_from, wanted_until) VALUES ($1, $2, $3, $4)
     ON CONFLICT (workspace_id, account_id) DO UPDATE SET ${widened}, due_at = now()`,
    [tx.workspaceId, accountId, from, until],
  );
}

/** After a look that held too much: no refusal, and where something is owed already it is due when that was. */
export async function oweInParts(tx: WorkspaceTx, accountId: AccountId, { from, until }: Span): Promise<void> {
  await tx.query(
    `INSERT INTO owed_looks (workspace_id, account_id, wanted_from, wanted_until) VALUES ($1, $2, $3, $4)
     ON CONFLICT (workspace_id, account_id) DO UPDATE SET ${widened}`,
    [tx.workspaceId, accountId, from, until],
  );
}

/** After a look that was refused or broke off: again later, after twice the pause of the try before. */
export async function putOffLook(
  tx: WorkspaceTx,
  accountId: AccountId,
  put: Span & { readonly detail: string | null; readonly firstPauseMs: number; readonly longestPauseMs: number },
): Promise<void> {
  await tx.query(
    `INSERT INTO owed_looks (workspace_id, account_id, wanted_from, wanted_until, tries, detail, due_at)
     VALUES ($1, $2, $3, $4, 1, $5, now() + $6 * interval '1 millisecond')
     ON CONFLICT (workspace_id, account_id) DO UPDATE SET ${widened}, tries = owed_looks.tries + 1, detail = EXCLUDED.detail,
       due_at = now() + LEAST($7, $6 * 2 ^ LEAST(owed_looks.tries, 30)) * interval '1 millisecond'`,
    [tx.workspaceId, accountId, put.from, put.until, put.detail, put.firstPauseMs, put.longestPauseMs],
  );
}

/** Somebody goes on with it: not due for others before that has had its time. */
export async function holdLook(tx: WorkspaceTx, accountId: AccountId, holdMs: number): Promise<void> {
  await tx.query(
    `UPDATE owed_looks SET due_at = now() + $3 * interval '1 millisecond' WHERE workspace_id = $1 AND account_id = $2`,
    [tx.workspaceId, accountId, holdMs],
  );
}

/**
 * Only what this span covers, from the beginning of what is owed; a span that was widened meanwhile keeps the rest. What is
 * left begins a minute before: providers' lists know seconds.
 */
export async function payLook(tx: WorkspaceTx, accountId: AccountId, { from, until }: Span): Promise<void> {
  const values = [tx.workspaceId, accountId, from, until];
  await tx.query(
    `UPDATE owed_looks SET wanted_from = $4::timestamptz - interval '1 minute'
     WHERE workspace_id = $1 AND account_id = $2 AND wanted_from >= $3 AND wanted_from < $4::timestamptz - interval '1 minute'
       AND wanted_until > $4`,
    values,
  );
  await tx.query(
    'DELETE FROM owed_looks WHERE workspace_id = $1 AND account_id = $2 AND wanted_from >= $3 AND wanted_until <= $4',
    values,
  );
}

const columns = `account_id AS "accountId", wanted_from AS "from", wanted_until AS "until", owed_since AS "owedSince", tries, detail`;

export async function findOwedLook(tx: WorkspaceTx, accountId: AccountId): Promise<OwedLook | null> {
  const [row] = await tx.query<OwedLook & Record<string, unknown>>(
    `SELECT ${columns} FROM owed_looks WHERE workspace_id = $1 AND account_id = $2`,
    [tx.workspaceId, accountId],
  );
  return row ?? null;
}

export async function listOwedLooks(tx: WorkspaceTx): Promise<readonly OwedLook[]> {
  return tx.query<OwedLook & Record<string, unknown>>(
    `SELECT ${columns} FROM owed_looks WHERE workspace_id = $1 ORDER BY owed_since, account_id`,
    [tx.workspaceId],
    'reconcile-list-owed',
  );
}

/** Across workspaces, the longest due first. */
export async function findDueLooks(
  storage: Pick<Storage, 'workerStatement'>,
  limit: number,
): Promise<readonly { readonly workspaceId: WorkspaceId; readonly accountId: AccountId }[]> {
  return storage.workerStatement<{ workspaceId: WorkspaceId; accountId: AccountId }>(
    `SELECT workspace_id AS "workspaceId", account_id AS "accountId" FROM owed_looks WHERE due_at <= now()
     ORDER BY due_at, account_id LIMIT $1`,
    [limit],
    'reconcile-find-due',
  );
}
