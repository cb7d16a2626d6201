/**
 * SQL on raw deliveries: all that this room reads and changes of them. As `worker`, the only role that may: a delivery of
 * an app-level route lies in the operator's workspace, whoever's events it held.
 */
import type { DeliveryId, WorkspaceId } from '@switchyard/contract';
import type { Storage, Tx } from '#storage';
import type { OpenErasure } from './erasure-store.ts';
import type { RawDelivery } from './privacy.ts';

export interface FoundBody extends RawDelivery {
  readonly workspaceId: WorkspaceId;
  readonly identityValues: readonly string[];
}

const rawColumns = `d.workspace_id AS "workspaceId", d.id, d.provider, d.target, d.headers, d.body, d.received_at AS "receivedAt"`;

/** The next bodies that this erasure wrote down; those that retention has dropped meanwhile are only crossed off. */
export async function takeBodies(tx: Tx, { workspaceId, id }: OpenErasure, limit: number) {
  const rows = await tx.query<FoundBody & Record<string, unknown>>(
    `WITH taken AS (
       DELETE FROM erasure_bodies b USING (
         SELECT delivery_id FROM erasure_bodies WHERE workspace_id = $1 AND erasure_id = $2 ORDER BY delivery_id LIMIT $3) AS next
       WHERE b.workspace_id = $1 AND b.erasure_id = $2 AND b.delivery_id = next.delivery_id
       RETURNING b.delivery_id, b.identity_values)
     SELECT ${rawColumns}, t.identity_values AS "identityValues", t.delivery_id AS "takenId"
     FROM taken t LEFT JOIN deliveries d ON d.id = t.delivery_id
       AND d.workspace_id IN ($1, (SELECT workspace_id FROM workspaces WHERE kind = 'operator'))`,
    [workspaceId, id, limit],
    'privacy-take-bodies',
  );
  return { isLast: rows.length < limit, bodies: rows.filter((row) => row.id !== null) };
}

/** What is left of it, and no secret beside it: those belong to bytes that are gone. */
export async function maskDelivery(tx: Tx, at: Pick<FoundBody, 'workspaceId' | 'id' | 'target'>, body: Buffer) {
  await tx.query(
    `UPDATE deliveries SET body = $3, target = $4, headers = headers - 'i-twilio-idempotency-token', secrets_sealed = NULL,
       masked_at = now() WHERE workspace_id = $1 AND id = $2`,
    [at.workspaceId, at.id, body, at.target.split('?')[0]],
    'privacy-mask-delivery',
  );
}

/** Where redeliveries of erased events may lie: every workspace that has erased somebody, and the operator's. */
export async function findWorkspacesToLook(storage: Storage): Promise<readonly WorkspaceId[]> {
  const rows = await storage.workerStatement<{ workspaceId: WorkspaceId }>(
    `SELECT workspace_id AS "workspaceId" FROM workspaces w
     WHERE EXISTS (SELECT FROM erasures) AND (kind = 'operator'
       OR EXISTS (SELECT FROM erasures x WHERE x.workspace_id = w.workspace_id))`,
    [],
    'privacy-workspaces-to-look',
  );
  return rows.map((row) => row.workspaceId);
}

/**
 * Deliveries of a workspace, in the order of their ids, of which some event was known already when they came; `last` is
 * how far the look went, null at the end.
 */
export async function findRedelivered(
  storage: Storage,
  workspaceId: WorkspaceId,
  { after, limit }: { readonly after: string | null; readonly limit: number },
) {
  const rows = await storage.workerStatement<{ lookedId: DeliveryId; isKnown: boolean }>(
    `SELECT i.id AS "lookedId", COALESCE(i.duplicate_count, 0) > 0 AND d.masked_at IS NULL AS "isKnown"
     FROM inbox i JOIN deliveries d ON d.workspace_id = i.workspace_id AND d.id = i.id
     WHERE i.workspace_id = $1 AND ($2::uuid IS NULL OR i.id > $2) AND i.state <> 'stored' ORDER BY i.id LIMIT $3`,
    [workspaceId, after, limit],
    'privacy-find-redelivered',
  );
  const ids = rows.filter((row) => row.isKnown).map((row) => row.lookedId);
  return {
    ids,
    last: rows.length < limit ? null : (rows.at(-1)?.lookedId ?? null),
    looked: rows.at(-1)?.lookedId ?? null,
  };
}

export function readRaw(tx: Tx, workspaceId: WorkspaceId, ids: readonly DeliveryId[]) {
  return tx.query<Omit<FoundBody, 'identityValues'> & Record<string, unknown>>(
    `SELECT ${rawColumns} FROM deliveries d WHERE d.workspace_id = $1 AND d.id = ANY($2::uuid[])`,
    [workspaceId, ids],
    'privacy-read-raw',
  );
}

/** Which of these keys belong to erased events, of whichever account. */
export async function findErasedKeys(tx: Tx, hashes: readonly Buffer[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ hash: string }>(
    `SELECT DISTINCT encode(key_hash, 'hex') AS hash FROM event_keys
     WHERE key_hash IN (SELECT decode(h, 'hex') FROM unnest($1::text[]) AS h) AND erased_at IS NOT NULL`,
    [hashes.map((hash) => hash.toString('hex'))],
    'privacy-find-erased-keys',
  );
  return new Set(rows.map((row) => row.hash));
}

export async function readMark(storage: Storage, name: string): Promise<string | null> {
  const [row] = await storage.workerStatement<{ cursor: string | null }>(
    'SELECT cursor FROM upkeep_marks WHERE name = $1',
    [name],
    'privacy-read-mark',
  );
  return row?.cursor ?? null;
}

export async function writeMark(storage: Storage, name: string, cursor: string): Promise<void> {
  await storage.workerStatement(
    `INSERT INTO upkeep_marks (name, at, cursor) VALUES ($1, now(), $2)
     ON CONFLICT (name) DO UPDATE SET at = now(), cursor = $2`,
    [name, cursor],
    'privacy-write-mark',
  );
}
