import type { WorkspaceTx } from '#storage';
import { type ChainEnd, chainStart, currentFormat, hashOfEntry, type StoredEntry } from './chain.ts';
import { type AuditEntry, type Facts, factsOf } from './entry.ts';

/**
 * Appends to the workspace's chain, in the transaction of the act: what is not committed was not done, and is not in the
 * log. One writer at a time per workspace from here until the commit, so make it the last thing of a transaction.
 */
export async function appendAudit(tx: WorkspaceTx, entry: AuditEntry): Promise<void> {
  const [at] = await tx.query<{ at: Date }>(
    `SELECT date_trunc('milliseconds', clock_timestamp()) AS at
     FROM pg_advisory_xact_lock(hashtextextended('audit ' || $1::text, 0))`,
    [tx.workspaceId],
  );
  // Read committed: what another transaction appended is seen here, since its lock was waited for above.
  const last = await findEnd(tx);
  const { actor, action, resource } = entry;
  const chained = {
    workspaceId: tx.workspaceId,
    sequence: String(BigInt(last.sequence) + 1n),
    at: (at as { at: Date }).at,
    actor,
    action,
    resource,
    fields: factsOf(entry),
    previousHash: last.hash,
  };
  await tx.query(
    `INSERT INTO audit_log (workspace_id, sequence, at, actor, action, resource, fields, previous_hash, hash, format)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      chained.workspaceId,
      chained.sequence,
      chained.at,
      actor,
      action,
      resource,
      JSON.stringify(chained.fields),
      chained.previousHash,
      hashOfEntry(chained),
      currentFormat,
    ],
  );
}

async function findEnd(tx: WorkspaceTx): Promise<ChainEnd> {
  const [last] = await tx.query<{ sequence: string; hash: string; format: number }>(
    'SELECT sequence, hash, format FROM audit_log WHERE workspace_id = $1 ORDER BY sequence DESC LIMIT 1',
    [tx.workspaceId],
    'audit-end',
  );
  return last ?? chainStart;
}

export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  /** Whole (`account acc_…`), or the kind alone (`account`). */
  readonly resource?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Entries before this sequence. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export interface AuditRecord {
  readonly sequence: string;
  readonly at: Date;
  readonly actor: string;
  /** The person's name, where the actor is a person. */
  readonly actorName: string | null;
  readonly action: string;
  readonly resource: string;
  readonly fields: Facts;
  readonly hash: string;
}

/** The newest first. */
export function listAudit(tx: WorkspaceTx, filter: AuditFilter): Promise<AuditRecord[]> {
  return tx.query<AuditRecord & Record<string, unknown>>(
    `SELECT a.sequence, a.at, a.actor, a.action, a.resource, a.fields, a.hash, p.name AS "actorName"
     FROM audit_log a
     LEFT JOIN people p ON 'person per_' || replace(p.id::text, '-', '') = a.actor
     WHERE a.workspace_id = $1
       AND ($2::text IS NULL OR a.actor = $2)
       AND ($3::text IS NULL OR a.action = $3)
       AND ($4::text IS NULL OR a.resource = $4 OR starts_with(a.resource, $4 || ' '))
       AND ($5::timestamptz IS NULL OR a.at >= $5)
       AND ($6::timestamptz IS NULL OR a.at < $6)
       AND ($7::bigint IS NULL OR a.sequence < $7)
     ORDER BY a.sequence DESC LIMIT $8`,
    [
      tx.workspaceId,
      filter.actor ?? null,
      filter.action ?? null,
      filter.resource ?? null,
      filter.since ?? null,
      filter.until ?? null,
      filter.before ?? null,
      filter.limit,
    ],
  );
}

/** In the order of the chain. */
export function readChain(tx: WorkspaceTx, after: string, limit: number): Promise<StoredEntry[]> {
  return tx.query<StoredEntry & Record<string, unknown>>(
    `SELECT workspace_id AS "workspaceId", sequence, at, actor, action, resource, fields,
            previous_hash AS "previousHash", hash, format
     FROM audit_log WHERE workspace_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`,
    [tx.workspaceId, after, limit],
  );
}
