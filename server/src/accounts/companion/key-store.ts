/** SQL of the table `companion_keys`. */
import type { CompanionKeyId, WorkspaceId } from '@switchyard/contract';
import type { Storage, WorkspaceTx } from '#storage';
import type { CompanionKey } from './companion.ts';

export async function insertKey(
  tx: WorkspaceTx,
  key: { readonly id: CompanionKeyId; readonly name: string; readonly secretSealed: Buffer },
): Promise<void> {
  await tx.query('INSERT INTO companion_keys (workspace_id, id, name, secret_sealed) VALUES ($1, $2, $3, $4)', [
    tx.workspaceId,
    key.id,
    key.name,
    key.secretSealed,
  ]);
}

export function listKeys(tx: WorkspaceTx): Promise<CompanionKey[]> {
  return tx.query<CompanionKey & Record<string, unknown>>(
    `SELECT id, name, created_at AS "createdAt", last_used_at AS "lastUsedAt", revoked_at AS "revokedAt"
       FROM companion_keys WHERE workspace_id = $1 ORDER BY created_at DESC, id`,
    [tx.workspaceId],
  );
}

export async function revokeKey(tx: WorkspaceTx, id: CompanionKeyId): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE companion_keys SET revoked_at = now() WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL
     RETURNING id`,
    [tx.workspaceId, id],
  );
  return rows.length > 0;
}

export interface SealedKeyRow {
  readonly id: CompanionKeyId;
  readonly workspaceId: WorkspaceId;
  readonly isOperator: boolean;
  readonly secretSealed: Buffer;
}

/** As the worker, since nobody knows yet whose key it is. Without an id the newest ones. */
export function findSealedKeys(storage: Storage, id: CompanionKeyId | null, limit: number): Promise<SealedKeyRow[]> {
  return storage.workerStatement<SealedKeyRow & Record<string, unknown>>(
    `SELECT k.id, k.workspace_id AS "workspaceId", w.kind = 'operator' AS "isOperator",
            k.secret_sealed AS "secretSealed"
       FROM companion_keys k JOIN workspaces w ON w.workspace_id = k.workspace_id AND w.deleted_at IS NULL
      WHERE k.revoked_at IS NULL AND ($1::uuid IS NULL OR k.id = $1) ORDER BY k.created_at DESC LIMIT $2`,
    [id, limit],
    'companion-keys-find',
  );
}

/** At most once a minute: the column is for people. */
export async function noteKeyUsed(storage: Storage, workspaceId: WorkspaceId, id: CompanionKeyId): Promise<void> {
  await storage.workerStatement(
    `UPDATE companion_keys SET last_used_at = now() WHERE workspace_id = $1 AND id = $2
        AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
    [workspaceId, id],
    'companion-keys-used',
  );
}
