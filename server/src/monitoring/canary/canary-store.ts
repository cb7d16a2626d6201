/** SQL of canaries: who has one, when it is due, how its runs began. */
import type { AccountId, DeliveryId, WorkspaceId } from '@switchyard/contract';
import type { Storage, WorkspaceTx } from '#storage';
import type { CanaryRun } from './canary-hops.ts';

export interface DueCanary extends Record<string, unknown> {
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
}

/** Where one is due, across workspaces. */
export async function findDueCanaries(storage: Pick<Storage, 'workerStatement'>, limit: number): Promise<DueCanary[]> {
  return storage.workerStatement<DueCanary>(
    `SELECT workspace_id AS "workspaceId", account_id AS "accountId" FROM canaries WHERE due_at <= now()
     ORDER BY due_at LIMIT $1`,
    [limit],
    'canary-find-due',
  );
}

/** False: another process has just taken it. */
export async function takeDue(tx: WorkspaceTx, accountId: AccountId): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE canaries SET due_at = now() + every_minutes * interval '1 minute'
     WHERE workspace_id = $1 AND account_id = $2 AND due_at <= now() RETURNING account_id`,
    [tx.workspaceId, accountId],
    'canary-take-due',
  );
  return rows.length === 1;
}

/** null switches it off. The first run is due at once. */
export async function setSchedule(tx: WorkspaceTx, accountId: AccountId, everyMinutes: number | null): Promise<void> {
  if (everyMinutes === null) {
    await tx.query('DELETE FROM canaries WHERE workspace_id = $1 AND account_id = $2', [tx.workspaceId, accountId]);
    return;
  }
  await tx.query(
    `INSERT INTO canaries (workspace_id, account_id, every_minutes) VALUES ($1, $2, $3)
     ON CONFLICT (workspace_id, account_id) DO UPDATE SET every_minutes = EXCLUDED.every_minutes, due_at = now()`,
    [tx.workspaceId, accountId, everyMinutes],
  );
}

export async function listSchedules(tx: WorkspaceTx): Promise<ReadonlyMap<AccountId, number>> {
  const rows = await tx.query<{ accountId: AccountId; everyMinutes: number }>(
    `SELECT c.account_id AS "accountId", c.every_minutes AS "everyMinutes" FROM canaries c
     JOIN accounts a ON a.workspace_id = $1 AND a.id = c.account_id AND a.deleted_at IS NULL WHERE c.workspace_id = $1`,
    [tx.workspaceId],
    'canary-list-schedules',
  );
  return new Map(rows.map(({ accountId, everyMinutes }) => [accountId, everyMinutes]));
}

export async function insertRun(
  tx: WorkspaceTx,
  run: Pick<CanaryRun, 'id' | 'accountId' | 'startedAt'>,
): Promise<void> {
  await tx.query(
    'INSERT INTO canary_runs (workspace_id, id, account_id, started_at) VALUES ($1, $2, $3, $4)',
    [tx.workspaceId, run.id, run.accountId, run.startedAt],
    'canary-insert-run',
  );
}

export async function recordRun(tx: WorkspaceTx, run: CanaryRun): Promise<void> {
  await tx.query(
    `UPDATE canary_runs SET routed_ms = $3, verified_ms = $4, stored_ms = $5, error = $6
     WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, run.id, run.routedMs, run.verifiedMs, run.storedMs, run.error],
    'canary-record-run',
  );
}

const columns = `r.id, r.account_id AS "accountId", r.started_at AS "startedAt", r.routed_ms AS "routedMs",
  r.verified_ms AS "verifiedMs", r.stored_ms AS "storedMs", r.error`;

/** The newest few of each account that is not removed. */
export async function lastRuns(tx: WorkspaceTx, perAccount: number): Promise<CanaryRun[]> {
  return tx.query<CanaryRun & Record<string, unknown>>(
    `SELECT r.* FROM accounts a CROSS JOIN LATERAL (
       SELECT ${columns} FROM canary_runs r WHERE r.workspace_id = $1 AND r.account_id = a.id
       ORDER BY r.started_at DESC LIMIT $2) AS r
     WHERE a.workspace_id = $1 AND a.deleted_at IS NULL ORDER BY r."startedAt" DESC`,
    [tx.workspaceId, perAccount],
    'canary-last-runs',
  );
}

export async function findRun(tx: WorkspaceTx, id: DeliveryId): Promise<CanaryRun | null> {
  const [row] = await tx.query<CanaryRun & Record<string, unknown>>(
    `SELECT ${columns} FROM canary_runs r WHERE r.workspace_id = $1 AND r.id = $2`,
    [tx.workspaceId, id],
  );
  return row ?? null;
}

export async function forgetRuns(tx: WorkspaceTx, days: number): Promise<void> {
  await tx.query(
    `DELETE FROM canary_runs WHERE workspace_id = $1 AND started_at < now() - $2 * interval '1 day'`,
    [tx.workspaceId, days],
    'canary-forget-runs',
  );
}
