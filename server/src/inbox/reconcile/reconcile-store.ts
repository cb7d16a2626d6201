/** SQL of reconciliations; all that they read of the inbox is which keys are known. */
import type { AccountId, ReconciliationId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { Reconciliation, Span } from './reconciliation.ts';

const columns = `id, account_id AS "accountId", reason, wanted_from AS "wantedFrom", wanted_until AS "wantedUntil",
  covered_from AS "coveredFrom", state, detail, listed, recovered, started_at AS "startedAt", finished_at AS "finishedAt"`;

type ReconciliationRow = Reconciliation & Record<string, unknown>;

export async function insertReconciliation(
  tx: WorkspaceTx,
  { id, accountId, reason, span }: Pick<Reconciliation, 'id' | 'accountId' | 'reason'> & { readonly span: Span },
): Promise<void> {
  await tx.query(
    `INSERT INTO reconciliations (workspace_id, id, account_id, reason, wanted_from, wanted_until)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [tx.workspaceId, id, accountId, reason, span.from, span.until],
  );
}

export type ReconciliationEnd = Pick<
  Reconciliation,
  'id' | 'coveredFrom' | 'state' | 'detail' | 'listed' | 'recovered'
>;

export async function finishReconciliation(tx: WorkspaceTx, end: ReconciliationEnd): Promise<Reconciliation | null> {
  const [row] = await tx.query<ReconciliationRow>(
    `UPDATE reconciliations SET covered_from = $3, state = $4, detail = $5, listed = $6, recovered = $7, finished_at = now()
     WHERE workspace_id = $1 AND id = $2 RETURNING ${columns}`,
    [tx.workspaceId, end.id, end.coveredFrom, end.state, end.detail, end.listed, end.recovered],
  );
  return row ?? null;
}

export async function listReconciliations(
  tx: WorkspaceTx,
  accountId: AccountId,
  limit: number,
): Promise<readonly Reconciliation[]> {
  return tx.query<ReconciliationRow>(
    `SELECT ${columns} FROM reconciliations WHERE workspace_id = $1 AND account_id = $2
     ORDER BY started_at DESC, id DESC LIMIT $3`,
    [tx.workspaceId, accountId, limit],
  );
}

export async function findReconciliation(tx: WorkspaceTx, id: ReconciliationId): Promise<Reconciliation | null> {
  const [row] = await tx.query<ReconciliationRow>(
    `SELECT ${columns} FROM reconciliations WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, id],
  );
  return row ?? null;
}

/** Of these keys those that took effect already, or were erased: in hex. */
export async function findKnownKeys(
  tx: WorkspaceTx,
  accountId: AccountId,
  hashes: readonly Buffer[],
): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ hash: string }>(
    `SELECT encode(k.key_hash, 'hex') AS hash FROM unnest($3::text[]) AS wanted (hash)
     JOIN event_keys k ON k.workspace_id = $1 AND k.account_id = $2 AND k.key_hash = decode(wanted.hash, 'hex')`,
    [tx.workspaceId, accountId, hashes.map((hash) => hash.toString('hex'))],
    'reconcile-known-keys',
  );
  return new Set(rows.map((row) => row.hash));
}

/**
 * A message that went out is known by the provider's id as soon as it answered: its echo is nothing lost. What was erased
 * counts as known for ever.
 */
export async function findKnownMessages(
  tx: WorkspaceTx,
  accountId: AccountId,
  providerIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ id: string }>(
    `SELECT provider_message_id AS id FROM messages
     WHERE workspace_id = $1 AND account_id = $2 AND provider_message_id = ANY($3::text[])
     UNION SELECT w.id FROM unnest($3::text[]) AS w (id) JOIN erased_messages x ON x.workspace_id = $1
       AND x.account_id = $2 AND x.id_hash = sha256(convert_to(w.id, 'UTF8'))`,
    [tx.workspaceId, accountId, providerIds],
    'reconcile-known-messages',
  );
  return new Set(rows.map((row) => row.id));
}
