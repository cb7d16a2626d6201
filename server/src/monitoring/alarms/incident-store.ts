/** SQL of incidents. */
import type { IncidentId, IncidentKind } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { Finding, Incident, OpenIncident } from './incidents.ts';

/** Those of this kind that are open, locked until the end of the transaction. */
export async function lockOpen(tx: WorkspaceTx, kind: IncidentKind): Promise<OpenIncident[]> {
  return tx.query<OpenIncident & Record<string, unknown>>(
    `SELECT id, subject, account_id AS "accountId", facts FROM incidents
     WHERE workspace_id = $1 AND kind = $2 AND resolved_at IS NULL ORDER BY id FOR UPDATE`,
    [tx.workspaceId, kind],
    'alarms-lock-open',
  );
}

/** False: another look has opened it a moment before. */
export async function insertIncident(
  tx: WorkspaceTx,
  incident: Finding & { readonly id: IncidentId; readonly kind: IncidentKind },
  now: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO incidents (workspace_id, id, kind, subject, account_id, facts, opened_at, last_seen_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
     ON CONFLICT (workspace_id, kind, subject) WHERE resolved_at IS NULL DO NOTHING RETURNING id`,
    [
      tx.workspaceId,
      incident.id,
      incident.kind,
      incident.subject,
      incident.accountId,
      JSON.stringify(incident.facts),
      now,
    ],
    'alarms-insert-incident',
  );
  return rows.length === 1;
}

export async function touchIncident(tx: WorkspaceTx, { id, facts }: OpenIncident, now: Date): Promise<void> {
  await tx.query(
    `UPDATE incidents SET last_seen_at = $3, times_seen = times_seen + 1, facts = $4 WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, id, now, JSON.stringify(facts)],
    'alarms-touch-incident',
  );
}

export async function resolveIncident(tx: WorkspaceTx, id: IncidentId, now: Date): Promise<void> {
  await tx.query(
    'UPDATE incidents SET resolved_at = $3 WHERE workspace_id = $1 AND id = $2 AND resolved_at IS NULL',
    [tx.workspaceId, id, now],
    'alarms-resolve-incident',
  );
}

const columns = `i.id, i.kind, i.subject, i.account_id AS "accountId", a.name AS "accountName", i.facts,
  i.opened_at AS "openedAt", i.last_seen_at AS "lastSeenAt", i.times_seen AS "timesSeen", i.resolved_at AS "resolvedAt"`;
const tables = 'incidents i LEFT JOIN accounts a ON a.workspace_id = i.workspace_id AND a.id = i.account_id';

export interface IncidentFilter {
  readonly state?: 'open' | 'resolved' | undefined;
  readonly before?: IncidentId | undefined;
  readonly limit: number;
}

/** The newest first. */
export async function listIncidents(tx: WorkspaceTx, { state, before, limit }: IncidentFilter): Promise<Incident[]> {
  return tx.query<Incident & Record<string, unknown>>(
    `SELECT ${columns} FROM ${tables} WHERE i.workspace_id = $1
       AND ($2::text IS NULL OR (i.resolved_at IS NULL) = ($2 = 'open')) AND ($3::uuid IS NULL OR i.id < $3)
     ORDER BY i.id DESC LIMIT $4`,
    [tx.workspaceId, state ?? null, before ?? null, limit],
    'alarms-list-incidents',
  );
}

export async function findIncident(tx: WorkspaceTx, id: IncidentId): Promise<Incident | null> {
  const [row] = await tx.query<Incident & Record<string, unknown>>(
    `SELECT ${columns} FROM ${tables} WHERE i.workspace_id = $1 AND i.id = $2`,
    [tx.workspaceId, id],
    'alarms-find-incident',
  );
  return row ?? null;
}

export interface SetAside extends Record<string, unknown> {
  readonly accountId: Finding['accountId'];
  readonly isForeign: boolean;
  readonly count: number;
  readonly newest: Date;
}

/** Dead letters of the last day that nobody has replayed, by account. */
export async function countDeadLetters(tx: WorkspaceTx, since: Date): Promise<SetAside[]> {
  return tx.query<SetAside>(
    `SELECT account_id AS "accountId", reason = 'foreign-account' AS "isForeign", count(*)::integer AS count,
       max(created_at) AS newest
     FROM dead_letters WHERE workspace_id = $1 AND created_at >= $2 AND replayed_at IS NULL GROUP BY 1, 2`,
    [tx.workspaceId, since],
    'alarms-count-dead-letters',
  );
}
