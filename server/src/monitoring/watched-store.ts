/** SQL of which workspaces there is anything to look at: of thousands that are quiet, none is opened. */
import type { IncidentKind, WorkspaceId } from '@switchyard/contract';
import type { Storage } from '#storage';

type Workers = Pick<Storage, 'workerStatement'>;

/** Where a canary is switched on, or an incident of one is still open. */
export function listWithCanary(storage: Workers): Promise<readonly WorkspaceId[]> {
  const kinds: readonly IncidentKind[] = ['canary'];
  return idsOf(
    storage,
    `EXISTS (SELECT FROM canaries c WHERE c.workspace_id = w.workspace_id) OR ${openIncident('$1')}`,
    [kinds],
    'monitoring-with-canary',
  );
}

/**
 * Where something was heard since `heardSince`, was set aside since `deadSince`, could not be asked for, or an incident of that
 * is open.
 */
export function listWithRound(
  storage: Workers,
  { heardSince, deadSince }: { readonly heardSince: Date; readonly deadSince: Date },
): Promise<readonly WorkspaceId[]> {
  const kinds: readonly IncidentKind[] = ['silence', 'foreign-ids', 'dead-letters', 'balance', 'unasked'];
  return idsOf(
    storage,
    `${openIncident('$1')}
     OR EXISTS (SELECT FROM ledger_hours h WHERE h.workspace_id = w.workspace_id AND h.hour >= $2 AND h.heard > 0)
     OR EXISTS (SELECT FROM dead_letters l WHERE l.workspace_id = w.workspace_id AND l.created_at >= $3)
     OR EXISTS (SELECT FROM owed_looks o WHERE o.workspace_id = w.workspace_id AND o.tries > 0)`,
    [kinds, heardSince, deadSince],
    'monitoring-with-round',
  );
}

/** Who waits for webhooks: where an account is on, and the operator's. `untold`: of these those that no incident tells of it. */
export function listReceiving(storage: Workers, which: 'all' | 'untold'): Promise<readonly WorkspaceId[]> {
  const kinds: readonly IncidentKind[] = ['refusing'];
  return idsOf(
    storage,
    `(w.kind = 'operator' OR EXISTS (SELECT FROM accounts a
        WHERE a.workspace_id = w.workspace_id AND a.is_active AND a.deleted_at IS NULL))
     AND ($2 OR NOT ${openIncident('$1')})`,
    [kinds, which === 'all'],
    'monitoring-receiving',
  );
}

/** Where this kind of incident is open. */
export function listWithIncident(storage: Workers, kind: IncidentKind): Promise<readonly WorkspaceId[]> {
  return idsOf(storage, openIncident('$1'), [[kind]], 'monitoring-with-incident');
}

const openIncident = (kinds: string) =>
  `EXISTS (SELECT FROM incidents n WHERE n.workspace_id = w.workspace_id AND n.kind = ANY(${kinds}) AND n.resolved_at IS NULL)`;

async function idsOf(
  storage: Workers,
  condition: string,
  values: readonly unknown[],
  name: string,
): Promise<readonly WorkspaceId[]> {
  const rows = await storage.workerStatement<{ id: WorkspaceId }>(
    `SELECT w.workspace_id AS id FROM workspaces w WHERE w.deleted_at IS NULL AND (${condition}) ORDER BY w.workspace_id`,
    values,
    name,
  );
  return rows.map(({ id }) => id);
}
