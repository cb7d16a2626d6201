import type { ApiKeyId, PersonId, WorkspaceId } from '@switchyard/contract';
import type { Tx, WorkspaceTx } from '#storage';
import type { ApiKey, EndedKey, KeyPage } from './workspaces.ts';

const columns = `id, name, last_four AS "lastFour", scopes, created_at AS "createdAt", last_used_at AS "lastUsedAt",
  expires_at AS "expiresAt", revoked_at AS "revokedAt"`;

export interface NewApiKeyRow {
  readonly id: ApiKeyId;
  readonly name: string;
  readonly keyHash: string;
  readonly lastFour: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
  readonly createdBy: PersonId | null;
}

export async function insertApiKey(tx: WorkspaceTx, key: NewApiKeyRow): Promise<ApiKey> {
  const rows = await tx.query<ApiKey & Record<string, unknown>>(
    `INSERT INTO api_keys (workspace_id, id, name, key_hash, last_four, scopes, expires_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${columns}`,
    [tx.workspaceId, key.id, key.name, key.keyHash, key.lastFour, key.scopes, key.expiresAt, key.createdBy],
  );
  return rows[0] as ApiKey;
}

export function listApiKeys(tx: WorkspaceTx, page: KeyPage | undefined): Promise<ApiKey[]> {
  return tx.query<ApiKey & Record<string, unknown>>(
    `SELECT ${columns} FROM api_keys WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
    [tx.workspaceId, page?.before ?? null, page?.limit ?? null],
  );
}

export async function revokeApiKey(tx: WorkspaceTx, id: ApiKeyId): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE api_keys SET revoked_at = now() WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING id`,
    [tx.workspaceId, id],
  );
  return rows.length === 1;
}

export interface KnownKey {
  readonly id: ApiKeyId;
  readonly workspaceId: WorkspaceId;
  readonly scopes: readonly string[];
  readonly isStale: boolean;
}

/** The stranger's credential must be this hash: a policy lets exactly that row be seen. */
export async function findKey(tx: Tx, keyHash: string): Promise<KnownKey | null> {
  const rows = await tx.query<KnownKey & Record<string, unknown>>(
    `SELECT id, workspace_id AS "workspaceId", scopes,
       last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS "isStale"
     FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
    [keyHash],
    'api-keys-find',
  );
  return rows[0] ?? null;
}

/** Of a key that is refused: since when, where it once was one. */
export async function findEndedKey(tx: Tx, keyHash: string): Promise<EndedKey | null> {
  const rows = await tx.query<EndedKey & Record<string, unknown>>(
    `SELECT revoked_at AS "revokedAt", expires_at AS "expiresAt" FROM api_keys
     WHERE key_hash = $1 AND (revoked_at IS NOT NULL OR expires_at <= now())`,
    [keyHash],
  );
  return rows[0] ?? null;
}

export async function noteUse(tx: WorkspaceTx, id: ApiKeyId): Promise<void> {
  await tx.query('UPDATE api_keys SET last_used_at = now() WHERE workspace_id = $1 AND id = $2', [tx.workspaceId, id]);
}
