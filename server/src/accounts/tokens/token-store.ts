/** SQL of `webhook_tokens`, and of the routes that tokens are. Their ends stand in both and are always set together. */
import type { AccountId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { RouteOwner } from '../routing/route-store.ts';

export interface TokenToInsert {
  readonly id: string;
  readonly hash: string;
  readonly sealed: Buffer;
}

/** False when the token's text is in use, by whomever. */
export async function insertToken(tx: WorkspaceTx, owner: RouteOwner, token: TokenToInsert): Promise<boolean> {
  const isClaimed = await tx.query(
    `INSERT INTO routes (kind, key, workspace_id, account_id, provider) VALUES ('token', $1, $2, $3, $4)
     ON CONFLICT DO NOTHING RETURNING kind`,
    [token.hash, tx.workspaceId, owner.accountId, owner.provider],
  );
  if (isClaimed.length === 0) return false;
  await tx.query(
    `INSERT INTO webhook_tokens (workspace_id, id, account_id, token_hash, token_sealed) VALUES ($1, $2, $3, $4, $5)`,
    [tx.workspaceId, token.id, owner.accountId, token.hash, token.sealed],
  );
  return true;
}

/** Tokens without an end get one; gives the hashes of them, for the caches. */
export async function retireTokens(tx: WorkspaceTx, accountId: AccountId, retiresAt: Date): Promise<string[]> {
  const rows = await tx.query<{ hash: string }>(
    `UPDATE webhook_tokens SET retires_at = $3
     WHERE workspace_id = $1 AND account_id = $2 AND retires_at IS NULL RETURNING token_hash AS hash`,
    [tx.workspaceId, accountId, retiresAt],
  );
  const hashes = rows.map((row) => row.hash);
  await tx.query(
    `UPDATE routes SET retires_at = $4
     WHERE workspace_id = $1 AND account_id = $2 AND kind = 'token' AND key = ANY($3)`,
    [tx.workspaceId, accountId, hashes, retiresAt],
  );
  return hashes;
}

/** A token of an account, its sealed text aside. Without an end it is the one in use. */
export interface HeldToken {
  readonly [column: string]: unknown;
  readonly tokenId: string;
  readonly hash: string;
  readonly tokenSealed: Buffer;
  readonly retiresAt: Date | null;
  readonly replacedAt: Date | null;
}

/** Oldest first, those that have ended too. */
export function listHeldTokens(tx: WorkspaceTx, accountId: AccountId): Promise<HeldToken[]> {
  return tx.query<HeldToken>(
    `SELECT id AS "tokenId", token_hash AS hash, token_sealed AS "tokenSealed", retires_at AS "retiresAt",
       replaced_at AS "replacedAt"
     FROM webhook_tokens WHERE workspace_id = $1 AND account_id = $2 ORDER BY created_at, id`,
    [tx.workspaceId, accountId],
  );
}

export async function setTokenEnd(
  tx: WorkspaceTx,
  token: Pick<HeldToken, 'tokenId' | 'hash'>,
  end: Pick<HeldToken, 'retiresAt' | 'replacedAt'>,
): Promise<void> {
  await tx.query('UPDATE webhook_tokens SET retires_at = $3, replaced_at = $4 WHERE workspace_id = $1 AND id = $2', [
    tx.workspaceId,
    token.tokenId,
    end.retiresAt,
    end.replacedAt,
  ]);
  await tx.query(`UPDATE routes SET retires_at = $3 WHERE workspace_id = $1 AND kind = 'token' AND key = $2`, [
    tx.workspaceId,
    token.hash,
    end.retiresAt,
  ]);
}

export interface TokenRow {
  readonly [column: string]: unknown;
  readonly tokenId: string;
  readonly accountId: AccountId;
  readonly workspaceName: string;
  readonly tokenSealed: Buffer;
  readonly createdAt: Date;
  readonly retiresAt: Date | null;
  readonly replacedAt: Date | null;
  readonly lastUsedAt: Date | null;
  /** Of the account. */
  readonly oldUrlHitAt: Date | null;
}

export function listTokenRows(tx: WorkspaceTx): Promise<TokenRow[]> {
  return tx.query<TokenRow>(
    `SELECT t.id AS "tokenId", t.account_id AS "accountId", w.name AS "workspaceName", t.token_sealed AS "tokenSealed",
       t.created_at AS "createdAt", t.retires_at AS "retiresAt", t.replaced_at AS "replacedAt",
       t.last_used_at AS "lastUsedAt", a.old_url_hit_at AS "oldUrlHitAt"
     FROM webhook_tokens t JOIN workspaces w USING (workspace_id)
     JOIN accounts a ON a.workspace_id = t.workspace_id AND a.id = t.account_id
     WHERE t.workspace_id = $1 AND (t.retires_at IS NULL OR t.retires_at > now())
     ORDER BY t.created_at, t.id`,
    [tx.workspaceId],
    'tokens-list',
  );
}

export async function findNewestToken(
  tx: WorkspaceTx,
  accountId: AccountId,
): Promise<{ readonly tokenId: string; readonly tokenSealed: Buffer } | null> {
  const rows = await tx.query<{ tokenId: string; tokenSealed: Buffer }>(
    `SELECT id AS "tokenId", token_sealed AS "tokenSealed" FROM webhook_tokens
     WHERE workspace_id = $1 AND account_id = $2 AND retires_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1`,
    [tx.workspaceId, accountId],
    'tokens-find-newest',
  );
  return rows[0] ?? null;
}

/** `hashes[i]` was last used at `times[i]`. */
export async function noteTokensUsed(
  tx: WorkspaceTx,
  hashes: readonly string[],
  times: readonly Date[],
): Promise<void> {
  if (hashes.length === 0) return;
  await tx.query(
    `UPDATE webhook_tokens t SET last_used_at = greatest(t.last_used_at, n.at)
     FROM unnest($2::text[], $3::timestamptz[]) AS n (hash, at)
     WHERE t.workspace_id = $1 AND t.token_hash = n.hash`,
    [tx.workspaceId, hashes, times],
  );
}

/** `accountIds[i]` was last called at its old URL at `times[i]`. */
export async function noteOldUrls(
  tx: WorkspaceTx,
  accountIds: readonly AccountId[],
  times: readonly Date[],
): Promise<void> {
  if (accountIds.length === 0) return;
  await tx.query(
    `UPDATE accounts a SET old_url_hit_at = greatest(a.old_url_hit_at, n.at)
     FROM unnest($2::uuid[], $3::timestamptz[]) AS n (id, at)
     WHERE a.workspace_id = $1 AND a.id = n.id`,
    [tx.workspaceId, accountIds, times],
  );
}
