/**
 * SQL on raw deliveries: all that this room reads and changes of them. As `worker`, the only role that may: a delivery of
 * an app-level route lies in the operator's workspace, whoever's events it held.
 */
import type { AccountId, DeliveryId, WorkspaceId } from '@switchyard/contract';
import { millisOfId } from '#kernel';
import { dayMs, firstIdOf, type Storage, type Tx } from '#storage';
import type { OpenErasure } from './erasure-store.ts';
import type { NamedAccount } from './named-account.ts';
import type { RawDelivery } from './privacy.ts';

export interface FoundBody extends RawDelivery {
  readonly workspaceId: WorkspaceId;
  /** null: it came by a shared route. */
  readonly accountId: AccountId | null;
  readonly identityValues: readonly string[];
}

const rawColumns = `d.workspace_id AS "workspaceId", d.account_id AS "accountId", d.id, d.provider, d.target, d.headers, d.body, d.received_at AS "receivedAt"`;

/** The next bodies that this erasure wrote down; those that retention has dropped meanwhile are only crossed off. */
export async function takeBodies(tx: Tx, { workspaceId, id }: OpenErasure, limit: number) {
  const taken = await tx.query<{ id: DeliveryId; identityValues: readonly string[] }>(
    `DELETE FROM erasure_bodies b USING (
       SELECT delivery_id FROM erasure_bodies WHERE workspace_id = $1 AND erasure_id = $2 ORDER BY delivery_id LIMIT $3) AS next
     WHERE b.workspace_id = $1 AND b.erasure_id = $2 AND b.delivery_id = next.delivery_id
     RETURNING b.delivery_id AS id, b.identity_values AS "identityValues"`,
    [workspaceId, id, limit],
    'privacy-take-bodies',
  );
  const values = new Map(taken.map((one) => [one.id, one.identityValues]));
  const raw = await readRaw(tx, workspaceId, [...values.keys()]);
  const bodies: FoundBody[] = raw.map((one) => ({ ...one, identityValues: values.get(one.id) ?? [] }));
  return { isLast: taken.length < limit, bodies };
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

export async function findOperator(storage: Storage): Promise<WorkspaceId | null> {
  const [row] = await storage.workerStatement<{ id: WorkspaceId }>(
    `SELECT workspace_id AS id FROM workspaces WHERE kind = 'operator'`,
    [],
    'privacy-find-operator',
  );
  return row?.id ?? null;
}

/** What came before this id, a day before the oldest that is not unpacked or not read, will never be read for the first time. */
export async function findAllReadBefore(storage: Storage, workspaceId: WorkspaceId): Promise<string> {
  const [row] = await storage.workerStatement<{ now: Date; arrivedAt: Date | null; unread: DeliveryId | null }>(
    `SELECT now() AS now, (SELECT min(arrived_at) FROM arrivals WHERE refusal IS NULL) AS "arrivedAt",
       (SELECT id FROM inbox WHERE workspace_id = $1 AND state = 'stored' ORDER BY id LIMIT 1) AS unread`,
    [workspaceId],
    'privacy-find-all-read-before',
  );
  if (!row) throw new Error('a statement without a table has given no row');
  const moments = [
    row.now.getTime(),
    row.arrivedAt?.getTime() ?? Infinity,
    row.unread ? millisOfId(row.unread) : Infinity,
  ];
  return firstIdOf(Math.min(...moments) - dayMs);
}

/** One slice of a look over the deliveries of a workspace, in the order of their ids. */
export interface LookSlice {
  readonly after: string | null;
  readonly limit: number;
}

/** What a slice found, and where the next one begins: null at the end. */
export interface Looked {
  readonly ids: readonly DeliveryId[];
  readonly last: string | null;
}

type LookedRow = { lookedId: DeliveryId; isMeant: boolean } & Record<string, unknown>;

const lookedOf = (rows: readonly LookedRow[], { limit }: LookSlice): Looked => ({
  ids: rows.filter((row) => row.isMeant).map((row) => row.lookedId),
  last: rows.length < limit ? null : (rows.at(-1)?.lookedId ?? null),
});

/**
 * Deliveries of which some event was known already when they came, and of whose body something is left: what an erasure has
 * masked of it may have been somebody else's part.
 */
export async function findRedelivered(storage: Storage, workspaceId: WorkspaceId, slice: LookSlice): Promise<Looked> {
  const rows = await storage.workerStatement<LookedRow>(
    `SELECT i.id AS "lookedId", CASE WHEN i.duplicate_count > 0 THEN COALESCE((SELECT octet_length(d.body) > 0 FROM deliveries d
         WHERE d.workspace_id = $1 AND d.id = i.id), false) ELSE false END AS "isMeant"
     FROM inbox i WHERE i.workspace_id = $1 AND ($2::uuid IS NULL OR i.id > $2) AND i.state <> 'stored' ORDER BY i.id LIMIT $3`,
    [workspaceId, slice.after, slice.limit],
    'privacy-find-redelivered',
  );
  return lookedOf(rows, slice);
}

/** Whom an erasure looks for in what was set aside. */
export interface Named {
  /** Of the erasure. */
  readonly workspaceId: WorkspaceId;
  readonly identityValues: readonly string[];
  /** What they write later is a new contact's. */
  readonly until: Date;
}

/**
 * Deliveries in `workspaceId` of which a part was set aside and whose body names somebody. Such a part has no event that would
 * say whose it was. One that came by a shared route may be another tenant's: that is for the caller to look at.
 */
export async function findSetAsideNaming(
  storage: Storage,
  workspaceId: WorkspaceId,
  { named, ...slice }: LookSlice & { readonly named: Named },
): Promise<Looked> {
  const rows = await storage.workerStatement<LookedRow>(
    `WITH slice AS MATERIALIZED (
       SELECT DISTINCT delivery_id AS id FROM dead_letters
       WHERE workspace_id = $1 AND delivery_id IS NOT NULL AND ($2::uuid IS NULL OR delivery_id > $2) ORDER BY 1 LIMIT $3
     ), naming AS MATERIALIZED (
       SELECT d.id FROM slice s JOIN deliveries d ON d.workspace_id = $1 AND d.id = s.id
       WHERE d.received_at <= $6 AND (d.account_id IS NULL OR d.workspace_id = $4) AND EXISTS (
         SELECT FROM unnest($5::text[]) AS v WHERE position(convert_to(v, 'UTF8') in d.body) > 0)
     )
     SELECT s.id AS "lookedId", m.id IS NOT NULL AS "isMeant" FROM slice s LEFT JOIN naming m ON m.id = s.id ORDER BY s.id`,
    [workspaceId, slice.after, slice.limit, named.workspaceId, named.identityValues, named.until],
    'privacy-find-set-aside-naming',
  );
  return lookedOf(rows, slice);
}

/**
 * Of this workspace or of the operator's, where a shared route's lie. Locked: two who mask one body must not undo each
 * other.
 */
export function readRaw(tx: Tx, workspaceId: WorkspaceId, ids: readonly DeliveryId[]) {
  return tx.query<Omit<FoundBody, 'identityValues'> & Record<string, unknown>>(
    `SELECT ${rawColumns} FROM deliveries d
     WHERE d.workspace_id IN ($1, (SELECT workspace_id FROM workspaces WHERE kind = 'operator')) AND d.id = ANY($2::uuid[])
     ORDER BY d.id FOR UPDATE OF d`,
    [workspaceId, ids],
    'privacy-read-raw',
  );
}

/** Whose these are, of those that are anybody's here. */
export async function findHolders(
  tx: Tx,
  accounts: readonly NamedAccount[],
): Promise<readonly (NamedAccount & { readonly workspaceId: WorkspaceId })[]> {
  if (accounts.length === 0) return [];
  return tx.query<NamedAccount & { workspaceId: WorkspaceId } & Record<string, unknown>>(
    `SELECT r.kind, r.key, r.workspace_id AS "workspaceId" FROM unnest($1::text[], $2::text[]) AS n (kind, key)
     JOIN routes r ON r.kind = n.kind AND r.key = n.key`,
    [accounts.map(({ kind }) => kind), accounts.map(({ key }) => key)],
    'privacy-find-holders',
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
