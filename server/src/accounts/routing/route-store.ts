/** SQL of `routes` and `routing_counts`, and what is asked across workspaces. */
import type { AccountId, Provider, WorkspaceId } from '@switchyard/contract';
import type { Storage, Tx, WorkspaceTx } from '#storage';
import type { RouteKind } from '../accounts.ts';
import type { RouteClaim } from './bindings.ts';

export interface Place {
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
}

export interface RouteName {
  readonly kind: string;
  readonly key: string;
}

/** Across workspaces, as the gateway's role: the one look-up that has no workspace yet. Each by its key, in one statement. */
export async function findPlaces(
  storage: Storage,
  routes: readonly RouteName[],
): Promise<readonly (RouteName & Place)[]> {
  return storage.gatewayStatement<RouteName & Place & Record<string, unknown>>(
    `SELECT asked.kind, asked.key, found.* FROM unnest($1::text[], $2::text[]) AS asked (kind, key)
     CROSS JOIN LATERAL (
       SELECT workspace_id AS "workspaceId", account_id AS "accountId" FROM routes r
       WHERE r.kind = asked.kind AND r.key = asked.key AND (retires_at IS NULL OR retires_at > now()) LIMIT 1) AS found`,
    [routes.map(({ kind }) => kind), routes.map(({ key }) => key)],
    'routes-find',
  );
}

/** Across workspaces, as the worker: accounts that are switched on, of these providers. */
export function listActivePlaces(storage: Storage, providers: readonly Provider[]): Promise<Place[]> {
  return storage.workerStatement<Place & Record<string, unknown>>(
    `SELECT a.workspace_id AS "workspaceId", a.id AS "accountId"
     FROM accounts a JOIN workspaces w ON w.workspace_id = a.workspace_id AND w.deleted_at IS NULL
     WHERE a.provider = ANY($1) AND a.is_active AND a.deleted_at IS NULL ORDER BY a.workspace_id, a.id`,
    [providers],
    'accounts-list-active',
  );
}

export interface RouteOwner {
  readonly accountId: AccountId;
  readonly provider: Provider;
}

/** False when somebody else holds an exclusive route already; whose it is, is not told. */
export async function claimRoute(tx: WorkspaceTx, owner: RouteOwner, claim: RouteClaim): Promise<boolean> {
  const claimed = await tx.query(
    `INSERT INTO routes (kind, key, workspace_id, account_id, provider) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING RETURNING kind`,
    [claim.kind, claim.key, tx.workspaceId, owner.accountId, owner.provider],
  );
  if (claimed.length > 0) return true;
  const holders = await tx.query<{ accountId: AccountId }>(
    `SELECT account_id AS "accountId" FROM routes WHERE workspace_id = $1 AND kind = $2 AND key = $3`,
    [tx.workspaceId, claim.kind, claim.key],
  );
  const holder = holders[0]?.accountId;
  return holder !== undefined && (holder === owner.accountId || !claim.isExclusive);
}

/** For a hash of a verify token: whoever has it first answers for all that share it. */
export async function offerChallenge(tx: WorkspaceTx, owner: RouteOwner, hash: string): Promise<void> {
  await tx.query(
    `INSERT INTO routes (kind, key, workspace_id, account_id, provider) VALUES ('challenge', $1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [hash, tx.workspaceId, owner.accountId, owner.provider],
  );
}

export function listRoutes(tx: WorkspaceTx, accountId: AccountId): Promise<{ kind: RouteKind; key: string }[]> {
  return tx.query<{ kind: RouteKind; key: string }>(
    'SELECT kind, key FROM routes WHERE workspace_id = $1 AND account_id = $2',
    [tx.workspaceId, accountId],
  );
}

export async function dropRoute(tx: WorkspaceTx, accountId: AccountId, kind: RouteKind, key: string): Promise<void> {
  await tx.query('DELETE FROM routes WHERE workspace_id = $1 AND account_id = $2 AND kind = $3 AND key = $4', [
    tx.workspaceId,
    accountId,
    kind,
    key,
  ]);
}

export async function listWorkspaceIds(tx: Tx): Promise<WorkspaceId[]> {
  const rows = await tx.query<{ id: WorkspaceId }>(
    'SELECT workspace_id AS id FROM workspaces WHERE deleted_at IS NULL ORDER BY created_at, workspace_id',
  );
  return rows.map((row) => row.id);
}

export interface RoutingCount {
  readonly workspaceId: string;
  readonly accountId: string;
  readonly kind: RouteKind;
  readonly outcome: 'hit' | 'miss' | 'negative';
  count: number;
}

/** As the worker: the counts of all workspaces in one statement. */
export async function addRoutingCounts(storage: Storage, hour: Date, counts: readonly RoutingCount[]): Promise<void> {
  await storage.workerStatement(
    `INSERT INTO routing_counts AS c (workspace_id, account_id, hour, route_kind, outcome, count)
     SELECT n."workspaceId", n."accountId", $2, n.kind, n.outcome, n.count
     FROM json_to_recordset($1::json) AS n ("workspaceId" uuid, "accountId" uuid, kind text, outcome text, count bigint)
     ON CONFLICT (workspace_id, account_id, hour, route_kind, outcome) DO UPDATE SET count = c.count + EXCLUDED.count`,
    [JSON.stringify(counts), hour],
    'routing-counts-add',
  );
}

/** What the running servers counted of an account's routings in the hour of `at`; written every few seconds. */
export async function listRoutingCounts(
  tx: WorkspaceTx,
  accountId: AccountId,
  at: Date,
): Promise<{ readonly hit: number; readonly miss: number }> {
  const rows = await tx.query<{ outcome: string; count: string }>(
    `SELECT outcome, sum(count) AS count FROM routing_counts
     WHERE workspace_id = $1 AND account_id = $2 AND hour = date_trunc('hour', $3::timestamptz, 'UTC') GROUP BY outcome`,
    [tx.workspaceId, accountId, at],
  );
  const counted = (outcome: string) => Number(rows.find((row) => row.outcome === outcome)?.count ?? 0);
  return { hit: counted('hit'), miss: counted('miss') };
}
