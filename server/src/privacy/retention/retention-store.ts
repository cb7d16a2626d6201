/** SQL of retention, in bounded slices by key; nothing here walks a table in one statement. */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import type { Storage, WorkspaceTx } from '#storage';

export interface StoredPolicy {
  readonly workspaceId: WorkspaceId;
  readonly stored: unknown;
}

/** By the database's clock. */
export async function readNow(storage: Storage): Promise<Date> {
  const [row] = await storage.workerStatement<{ now: Date }>('SELECT clock_timestamp() AS now', [], 'retention-now');
  return row!.now;
}

export function findPolicies(storage: Storage): Promise<StoredPolicy[]> {
  return storage.workerStatement<StoredPolicy & Record<string, unknown>>(
    `SELECT workspace_id AS "workspaceId", settings->'retention' AS stored FROM workspaces ORDER BY workspace_id`,
    [],
    'retention-find-policies',
  );
}

export async function loadPolicy(tx: WorkspaceTx): Promise<unknown> {
  const [row] = await tx.query<{ stored: unknown }>(
    `SELECT settings->'retention' AS stored FROM workspaces WHERE workspace_id = $1`,
    [tx.workspaceId],
  );
  return row?.stored;
}

export async function savePolicy(tx: WorkspaceTx, policy: object): Promise<void> {
  await tx.query(
    `UPDATE workspaces SET settings = settings || jsonb_build_object('retention', $2::jsonb) WHERE workspace_id = $1`,
    [tx.workspaceId, JSON.stringify(policy)],
  );
}

/**
 * Empties some bodies from before `bound` (an id); what still waits to be read is left. Gives how many, fewer than `limit`
 * at the end.
 */
export async function emptyBodies(storage: Storage, workspaceId: WorkspaceId, bound: string, limit: number) {
  const rows = await storage.workerStatement(
    `UPDATE deliveries d SET body = '', headers = '{}', target = split_part(d.target, '?', 1), secrets_sealed = NULL,
       masked_at = now()
     FROM (SELECT d.id FROM deliveries d JOIN inbox i ON i.workspace_id = d.workspace_id AND i.id = d.id
           WHERE d.workspace_id = $1 AND d.id < $2 AND octet_length(d.body) > 0 AND i.state <> 'stored' LIMIT $3) AS old
     WHERE d.workspace_id = $1 AND d.id = old.id RETURNING d.id`,
    [workspaceId, bound, limit],
    'retention-empty-bodies',
  );
  return rows.length;
}

export async function deleteAttempts(storage: Storage, workspaceId: WorkspaceId, bound: string, limit: number) {
  const rows = await storage.workerStatement(
    `DELETE FROM attempts a USING (
       SELECT id FROM attempts WHERE workspace_id = $1 AND id < $2 AND ended_at IS NOT NULL LIMIT $3) AS old
     WHERE a.workspace_id = $1 AND a.id = old.id RETURNING a.id`,
    [workspaceId, bound, limit],
    'retention-delete-attempts',
  );
  return rows.length;
}

export interface KeyPlace {
  readonly accountId: AccountId;
  /** Hex. */
  readonly keyHash: string;
}

/**
 * The next keys of a workspace, in their own order: those go that are old enough, whose message is not here (or no more),
 * and that are no tombstone.
 */
export async function sweepKeys(
  tx: WorkspaceTx,
  {
    after,
    olderThanDays,
    limit,
  }: { readonly after: KeyPlace | null; readonly olderThanDays: number; readonly limit: number },
): Promise<{ readonly removed: number; readonly last: KeyPlace | null }> {
  const [row] = await tx.query<{ removed: number; looked: number; accountId: AccountId; keyHash: string }>(
    `WITH slice AS MATERIALIZED (
       SELECT account_id, key_hash, event_id, seen_at, erased_at FROM event_keys
       WHERE workspace_id = $1 AND ($2::uuid IS NULL OR (account_id, key_hash) > ($2, decode($3, 'hex')))
       ORDER BY account_id, key_hash LIMIT $4
     ), gone AS (
       DELETE FROM event_keys k USING slice s
       WHERE k.workspace_id = $1 AND k.account_id = s.account_id AND k.key_hash = s.key_hash
         AND s.erased_at IS NULL AND s.seen_at < now() - $5 * interval '1 day' AND NOT EXISTS (
           SELECT FROM events e JOIN messages m ON m.workspace_id = e.workspace_id AND m.account_id = e.account_id
             AND m.provider_message_id = e.payload->>'providerMessageId'
           WHERE e.workspace_id = $1 AND e.id = s.event_id)
       RETURNING 1
     ), last AS (SELECT account_id, key_hash FROM slice ORDER BY account_id DESC, key_hash DESC LIMIT 1)
     SELECT (SELECT count(*)::int FROM gone) AS removed, (SELECT count(*)::int FROM slice) AS looked,
       account_id AS "accountId", encode(key_hash, 'hex') AS "keyHash" FROM last`,
    [tx.workspaceId, after?.accountId ?? null, after?.keyHash ?? null, limit, olderThanDays],
    'retention-sweep-keys',
  );
  if (!row) return { removed: 0, last: null };
  return { removed: row.removed, last: row.looked < limit ? null : { accountId: row.accountId, keyHash: row.keyHash } };
}

export interface Doomed {
  readonly deliveries: number;
  readonly deliveryBytes: number;
  readonly attempts: number;
  readonly oldestDeliveryAt: Date | null;
}

/** What a run would take of this workspace, if its policy ended before these ids. */
export async function countDoomed(tx: WorkspaceTx, bounds: { readonly deliveries: string; readonly attempts: string }) {
  const [row] = await tx.query<Doomed & Record<string, unknown>>(
    `SELECT old.deliveries, old.bytes AS "deliveryBytes", old.oldest AS "oldestDeliveryAt",
       (SELECT count(*)::int FROM attempts WHERE workspace_id = $1 AND id < $3 AND ended_at IS NOT NULL) AS attempts
     FROM (SELECT count(*)::int AS deliveries, COALESCE(sum(octet_length(d.body)), 0)::float8 AS bytes,
             min(d.received_at) AS oldest
           FROM deliveries d JOIN inbox i ON i.workspace_id = d.workspace_id AND i.id = d.id
           WHERE d.workspace_id = $1 AND d.id < $2 AND octet_length(d.body) > 0 AND i.state <> 'stored') AS old`,
    [tx.workspaceId, bounds.deliveries, bounds.attempts],
  );
  return row as Doomed;
}

/** Reports of looks at providers' lists that nobody needs any more. */
export async function deleteOldReports(tx: WorkspaceTx, days: number): Promise<void> {
  await tx.query(`DELETE FROM reconciliations WHERE workspace_id = $1 AND started_at < now() - $2 * interval '1 day'`, [
    tx.workspaceId,
    days,
  ]);
}

/** How many events erasures took of deliveries from before `bound` (an id), which no balance asks about any more. */
export async function deleteErasedCounts(tx: WorkspaceTx, bound: string): Promise<void> {
  await tx.query('DELETE FROM erased_events WHERE workspace_id = $1 AND delivery_id < $2', [tx.workspaceId, bound]);
}
