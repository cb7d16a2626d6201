import { sha256Hex, type WorkspaceTx } from '#storage';
import type { AuditEntry } from './workspaces.ts';

/** The first entry's predecessor. */
const genesis = '0'.repeat(64);

/**
 * Appends to the workspace's chain: each entry hashes the one before it, so that a changed or missing entry shows. One
 * writer at a time per workspace, until the caller's commit.
 */
export async function appendAudit(tx: WorkspaceTx, entry: AuditEntry): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('audit ' || $1::text, 0))`, [tx.workspaceId]);
  const [last] = await tx.query<{ sequence: string; hash: string }>(
    'SELECT sequence, hash FROM audit_log WHERE workspace_id = $1 ORDER BY sequence DESC LIMIT 1',
    [tx.workspaceId],
  );
  const sequence = BigInt(last?.sequence ?? 0) + 1n;
  const previous = last?.hash ?? genesis;
  const fields = entry.fields ?? {};
  const hash = sha256Hex(
    JSON.stringify([previous, String(sequence), entry.actor, entry.action, entry.resource, fields]),
  );
  await tx.query(
    `INSERT INTO audit_log (workspace_id, sequence, actor, action, resource, fields, previous_hash, hash)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [tx.workspaceId, sequence, entry.actor, entry.action, entry.resource, JSON.stringify(fields), previous, hash],
  );
}
