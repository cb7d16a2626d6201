/** SQL of incidents. */
import type { IncidentId, IncidentKind, IncidentState } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { Decisions, Finding, Incident, OpenIncident, Seen } from './incidents.ts';

/** Those of this kind that are open, locked until the end of the transaction. */
export async function lockOpen(tx: WorkspaceTx, kind: IncidentKind): Promise<OpenIncident[]> {
  const rows = await tx.query<OpenIncident & { seen: Partial<Seen> } & Record<string, unknown>>(
    `SELECT id, subject, account_id AS "accountId", facts, opened_at AS "openedAt", seen FROM incidents
     WHERE workspace_id = $1 AND kind = $2 AND resolved_at IS NULL ORDER BY id FOR UPDATE`,
    [tx.workspaceId, kind],
    'alarms-lock-open',
  );
  return rows.map((row) => ({ ...row, seen: { parts: row.seen.parts ?? [], toldMs: row.seen.toldMs ?? {} } }));
}

/** False: another look has opened it a moment before. */
export async function insertIncident(
  tx: WorkspaceTx,
  incident: Decisions['opened'][number] & { readonly id: IncidentId; readonly kind: IncidentKind },
  now: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO incidents (workspace_id, id, kind, subject, account_id, facts, opened_at, last_seen_at, seen)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)
     ON CONFLICT (workspace_id, kind, subject) WHERE resolved_at IS NULL DO NOTHING RETURNING id`,
    [
      tx.workspaceId,
      incident.id,
      incident.kind,
      incident.subject,
      incident.accountId,
      JSON.stringify(incident.facts),
      now,
      JSON.stringify(incident.seen),
    ],
    'alarms-insert-incident',
  );
  return rows.length === 1;
}

export async function touchIncident(tx: WorkspaceTx, { id, facts, seen }: OpenIncident, now: Date): Promise<void> {
  await tx.query(
    `UPDATE incidents SET last_seen_at = $3, times_seen = times_seen + 1, facts = $4, seen = $5 WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, id, now, JSON.stringify(facts), JSON.stringify(seen)],
    'alarms-touch-incident',
  );
}

/** What it consisted of is kept no longer. */
export async function endIncident(
  tx: WorkspaceTx,
  { id, ending }: Decisions['ended'][number],
  now: Date,
): Promise<void> {
  await tx.query(
    `UPDATE incidents SET resolved_at = $3, is_unwatched = $4, seen = '{}'
     WHERE workspace_id = $1 AND id = $2 AND resolved_at IS NULL`,
    [tx.workspaceId, id, now, ending === 'unwatched'],
    'alarms-end-incident',
  );
}

const columns = `i.id, i.kind, i.subject, i.account_id AS "accountId", a.name AS "accountName", i.facts,
  i.opened_at AS "openedAt", i.last_seen_at AS "lastSeenAt", i.times_seen AS "timesSeen", i.resolved_at AS "resolvedAt",
  i.is_unwatched AS "isUnwatched"`;
const tables = 'incidents i LEFT JOIN accounts a ON a.workspace_id = i.workspace_id AND a.id = i.account_id';

export interface IncidentFilter {
  readonly state?: IncidentState | undefined;
  readonly before?: IncidentId | undefined;
  readonly limit: number;
}

/** The newest first. */
export async function listIncidents(tx: WorkspaceTx, { state, before, limit }: IncidentFilter): Promise<Incident[]> {
  return tx.query<Incident & Record<string, unknown>>(
    `SELECT ${columns} FROM ${tables} WHERE i.workspace_id = $1
       AND ($2::text IS NULL OR $2 = CASE WHEN i.resolved_at IS NULL THEN 'open'
         WHEN i.is_unwatched THEN 'unwatched' ELSE 'resolved' END) AND ($3::uuid IS NULL OR i.id < $3)
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

/** Dead letters since then that nobody has replayed, by account. */
export async function countDeadLetters(tx: WorkspaceTx, since: Date): Promise<SetAside[]> {
  return tx.query<SetAside>(
    `SELECT account_id AS "accountId", reason = 'foreign-account' AS "isForeign", count(*)::integer AS count,
       max(created_at) AS newest
     FROM dead_letters WHERE workspace_id = $1 AND created_at >= $2 AND replayed_at IS NULL GROUP BY 1, 2`,
    [tx.workspaceId, since],
    'alarms-count-dead-letters',
  );
}
