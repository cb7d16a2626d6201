/** SQL of the tables `companion_leases` and `session_states`, and of what a companion should run. */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import type { Storage, WorkspaceTx } from '#storage';

export interface Place {
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
}

/** As the worker: which accounts of the scope are wanted. Account rows are then read in their own workspace. */
export function listWanted(storage: Storage, scope: WorkspaceId | null): Promise<Place[]> {
  return storage.workerStatement<Place & Record<string, unknown>>(
    `SELECT p.workspace_id AS "workspaceId", p.account_id AS "accountId" FROM pairings p
       JOIN accounts a ON a.workspace_id = p.workspace_id AND a.id = p.account_id
        AND a.provider = 'webjs' AND a.deleted_at IS NULL
       JOIN workspaces w ON w.workspace_id = p.workspace_id AND w.deleted_at IS NULL
      WHERE p.is_wanted AND ($1::uuid IS NULL OR p.workspace_id = $1) ORDER BY p.workspace_id, p.account_id`,
    [scope],
    'companion-wanted',
  );
}

/** As the worker: the workspace of an account, inside the scope. */
export async function findPlace(
  storage: Storage,
  scope: WorkspaceId | null,
  accountId: AccountId,
): Promise<Place | undefined> {
  const [row] = await storage.workerStatement<Place & Record<string, unknown>>(
    `SELECT a.workspace_id AS "workspaceId", a.id AS "accountId" FROM accounts a
       JOIN workspaces w ON w.workspace_id = a.workspace_id AND w.deleted_at IS NULL
      WHERE a.id = $2 AND a.deleted_at IS NULL AND ($1::uuid IS NULL OR a.workspace_id = $1) LIMIT 1`,
    [scope, accountId],
    'companion-place',
  );
  return row;
}

export interface SessionFacts {
  readonly generation: number;
  readonly leasedUntil: Date | null;
}

export async function findSessionFacts(tx: WorkspaceTx, accountId: AccountId): Promise<SessionFacts> {
  const [row] = await tx.query<SessionFacts & Record<string, unknown>>(
    `SELECT COALESCE((SELECT generation FROM pairings WHERE workspace_id = $1 AND account_id = $2), 0) AS generation,
            (SELECT leased_until FROM companion_leases
              WHERE workspace_id = $1 AND account_id = $2 AND leased_until > now()) AS "leasedUntil"`,
    [tx.workspaceId, accountId],
    'companion-facts',
  );
  return row ?? { generation: 0, leasedUntil: null };
}

/** The new fence, or nothing while another's lease runs. One statement, so that two askers cannot both have it. */
export async function takeLease(
  tx: WorkspaceTx,
  accountId: AccountId,
  holder: string,
  leaseMs: number,
): Promise<number | undefined> {
  const [row] = await tx.query<{ epoch: string }>(
    `INSERT INTO companion_leases AS l (workspace_id, account_id, holder, epoch, leased_until)
     VALUES ($1, $2, $3, 1, now() + $4 * interval '1 millisecond')
     ON CONFLICT (workspace_id, account_id) DO UPDATE SET holder = EXCLUDED.holder, epoch = l.epoch + 1,
       leased_until = EXCLUDED.leased_until, acquired_at = now()
     WHERE l.leased_until <= now() OR l.holder = EXCLUDED.holder
     RETURNING epoch`,
    [tx.workspaceId, accountId, holder, leaseMs],
  );
  return row ? Number(row.epoch) : undefined;
}

/** One that ran out may be renewed as long as nobody has taken it. */
export async function renewLease(
  tx: WorkspaceTx,
  accountId: AccountId,
  { holder, fence, leaseMs }: { readonly holder: string; readonly fence: number; readonly leaseMs: number },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE companion_leases SET leased_until = now() + $5 * interval '1 millisecond'
      WHERE workspace_id = $1 AND account_id = $2 AND holder = $3 AND epoch = $4 RETURNING epoch`,
    [tx.workspaceId, accountId, holder, fence, leaseMs],
    'companion-renew',
  );
  return rows.length > 0;
}

export async function endLease(tx: WorkspaceTx, accountId: AccountId, holder: string, fence: number): Promise<void> {
  await tx.query(
    `UPDATE companion_leases SET leased_until = now()
      WHERE workspace_id = $1 AND account_id = $2 AND holder = $3 AND epoch = $4`,
    [tx.workspaceId, accountId, holder, fence],
  );
}

/** Holds the lease's row until the end of the transaction, so that no new holder comes between look and write. */
export async function isFenceCurrent(tx: WorkspaceTx, accountId: AccountId, fence: number): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM companion_leases WHERE workspace_id = $1 AND account_id = $2 AND epoch = $3 FOR SHARE`,
    [tx.workspaceId, accountId, fence],
    'companion-fence',
  );
  return rows.length > 0;
}

export interface SealedState {
  readonly id: string;
  readonly name: string;
  readonly sealed: Buffer;
}

export function readStates(tx: WorkspaceTx, accountId: AccountId, names: readonly string[]): Promise<SealedState[]> {
  return tx.query<SealedState & Record<string, unknown>>(
    `SELECT id, name, value_sealed AS sealed FROM session_states
      WHERE workspace_id = $1 AND account_id = $2 AND name = ANY($3::text[])`,
    [tx.workspaceId, accountId, names],
    'session-states-read',
  );
}

export async function putStates(tx: WorkspaceTx, accountId: AccountId, states: readonly SealedState[]): Promise<void> {
  await tx.query(
    `INSERT INTO session_states AS s (workspace_id, id, account_id, name, value_sealed)
       SELECT $1, n.id, $2, n.name, n.sealed FROM unnest($3::uuid[], $4::text[], $5::bytea[]) AS n (id, name, sealed)
     ON CONFLICT (workspace_id, id) DO UPDATE SET value_sealed = EXCLUDED.value_sealed, updated_at = now()`,
    [
      tx.workspaceId,
      accountId,
      states.map(({ id }) => id),
      states.map(({ name }) => name),
      states.map(({ sealed }) => sealed),
    ],
    'session-states-put',
  );
}

/** Without names: all of them. */
export async function dropStates(
  tx: WorkspaceTx,
  accountId: AccountId,
  names: readonly string[] | null,
): Promise<void> {
  await tx.query(
    `DELETE FROM session_states
      WHERE workspace_id = $1 AND account_id = $2 AND ($3::text[] IS NULL OR name = ANY($3::text[]))`,
    [tx.workspaceId, accountId, names],
  );
}

/** The library's pairs of phone number and LID, from either side. */
export function findLidMappings(tx: WorkspaceTx, numbers: readonly string[]): Promise<SealedState[]> {
  return tx.query<SealedState & Record<string, unknown>>(
    `SELECT id, name, value_sealed AS sealed FROM session_states
      WHERE workspace_id = $1 AND account_id IN (SELECT id FROM accounts WHERE workspace_id = $1) AND name = ANY($2::text[])`,
    [tx.workspaceId, numbers.flatMap((number) => [`lid-mapping/${number}`, `lid-mapping/${number}_reverse`])],
  );
}

/** What is named after one of these numbers; keys of our own have counters in their names. */
export async function dropStatesNaming(tx: WorkspaceTx, numbers: readonly string[]): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM session_states WHERE workspace_id = $1 AND name !~ '^(creds$|pre-key/|app-state-)'
        AND regexp_split_to_array(name, '\\D+') && $2::text[] RETURNING id`,
    [tx.workspaceId, numbers],
  );
  return rows.length;
}
