/** SQL of targets and of the notices to them. */
import type { AlarmNoticeId, AlarmTargetId, IncidentId, WorkspaceId } from '@switchyard/contract';
import { newId } from '#kernel';
import type { Storage, WorkspaceTx } from '#storage';
import type { AlarmTarget, Notice, Occasion, TargetKind } from './targets.ts';

export async function countTargets(tx: WorkspaceTx): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    'SELECT count(*)::integer AS count FROM alarm_targets WHERE workspace_id = $1 AND deleted_at IS NULL',
    [tx.workspaceId],
  );
  return row?.count ?? 0;
}

export async function insertTarget(
  tx: WorkspaceTx,
  target: {
    readonly id: AlarmTargetId;
    readonly kind: TargetKind;
    readonly address: string;
    readonly secretSealed: Buffer | null;
  },
): Promise<void> {
  await tx.query(
    'INSERT INTO alarm_targets (workspace_id, id, kind, address, secret_sealed) VALUES ($1, $2, $3, $4, $5)',
    [tx.workspaceId, target.id, target.kind, target.address, target.secretSealed],
  );
}

export async function listTargets(tx: WorkspaceTx): Promise<AlarmTarget[]> {
  return tx.query<AlarmTarget & Record<string, unknown>>(
    `SELECT t.id, t.kind, t.address, t.created_at AS "createdAt",
       CASE WHEN n.id IS NOT NULL THEN json_build_object('occasion', n.occasion, 'state', n.state, 'attempts', n.attempts,
         'at', COALESCE(n.settled_at, n.created_at), 'error', n.error) END AS "lastNotice"
     FROM alarm_targets t LEFT JOIN LATERAL (
       SELECT * FROM alarm_notices n WHERE n.workspace_id = $1 AND n.target_id = t.id
       ORDER BY n.created_at DESC, n.id DESC LIMIT 1) AS n ON true
     WHERE t.workspace_id = $1 AND t.deleted_at IS NULL ORDER BY t.id`,
    [tx.workspaceId],
  );
}

/** What waits for it is dropped with it. */
export async function removeTarget(tx: WorkspaceTx, id: AlarmTargetId): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE alarm_targets SET deleted_at = now(), secret_sealed = NULL
     WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL RETURNING id`,
    [tx.workspaceId, id],
  );
  await tx.query(
    `UPDATE alarm_notices SET state = 'failed', error = 'the target was removed', settled_at = now()
     WHERE workspace_id = $1 AND target_id = $2 AND state = 'queued'`,
    [tx.workspaceId, id],
  );
  return rows.length === 1;
}

/** One for each target, in the transaction of what it tells of. */
export async function queueNotices(tx: WorkspaceTx, incidentId: IncidentId, occasion: Occasion): Promise<number> {
  const targets = await tx.query<{ id: AlarmTargetId }>(
    'SELECT id FROM alarm_targets WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY id',
    [tx.workspaceId],
    'alarms-targets-to-tell',
  );
  for (const { id } of targets) await insertNotice(tx, { targetId: id, incidentId, occasion, dueInMs: 0 });
  return targets.length;
}

export async function insertNotice(
  tx: WorkspaceTx,
  notice: {
    readonly targetId: AlarmTargetId;
    readonly incidentId: IncidentId | null;
    readonly occasion: Occasion;
    readonly dueInMs: number;
  },
): Promise<AlarmNoticeId> {
  const id = newId('alarmNotice');
  await tx.query(
    `INSERT INTO alarm_notices (workspace_id, id, target_id, incident_id, occasion, due_at)
     VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond')`,
    [tx.workspaceId, id, notice.targetId, notice.incidentId, notice.occasion, notice.dueInMs],
    'alarms-insert-notice',
  );
  return id;
}

/** Where something is due, across workspaces. */
export async function findDueNotices(
  storage: Pick<Storage, 'workerStatement'>,
  limit: number,
): Promise<{ readonly workspaceId: WorkspaceId; readonly id: AlarmNoticeId }[]> {
  return storage.workerStatement<{ workspaceId: WorkspaceId; id: AlarmNoticeId }>(
    `SELECT workspace_id AS "workspaceId", id FROM alarm_notices WHERE state = 'queued' AND due_at <= now()
     ORDER BY due_at LIMIT $1`,
    [limit],
    'alarms-find-due',
  );
}

/**
 * Counts the try before it is made and puts the next one off, so that whoever dies in the middle neither loses nor storms.
 * null: another has it, or it is no longer there.
 */
export async function claimNotice(
  tx: WorkspaceTx,
  id: AlarmNoticeId,
  { leaseMs, isDue }: { readonly leaseMs: number; readonly isDue: boolean },
): Promise<Notice | null> {
  const [row] = await tx.query<Notice & Record<string, unknown>>(
    `UPDATE alarm_notices n SET attempts = attempts + 1, due_at = now() + $3 * interval '1 millisecond'
     FROM alarm_targets t
     WHERE n.workspace_id = $1 AND n.id = $2 AND n.state = 'queued' AND (NOT $4 OR n.due_at <= now())
       AND t.workspace_id = $1 AND t.id = n.target_id AND t.deleted_at IS NULL
     RETURNING n.id, n.workspace_id AS "workspaceId", n.target_id AS "targetId", n.incident_id AS "incidentId", n.occasion,
       n.attempts, n.created_at AS "createdAt", t.kind, t.address, t.secret_sealed AS "secretSealed"`,
    [tx.workspaceId, id, leaseMs, isDue],
    'alarms-claim-notice',
  );
  return row ?? null;
}

export type NoticeEnd =
  | { readonly kind: 'sent' }
  | { readonly kind: 'again'; readonly inMs: number; readonly error: string }
  | { readonly kind: 'failed'; readonly error: string };

export async function settleNotice(tx: WorkspaceTx, id: AlarmNoticeId, end: NoticeEnd): Promise<void> {
  const error = end.kind === 'sent' ? null : end.error.slice(0, 500);
  await tx.query(
    `UPDATE alarm_notices SET error = $3, state = $4,
       settled_at = CASE WHEN $4 = 'queued' THEN NULL ELSE now() END,
       due_at = CASE WHEN $4 = 'queued' THEN now() + $5 * interval '1 millisecond' ELSE due_at END
     WHERE workspace_id = $1 AND id = $2 AND state = 'queued'`,
    [tx.workspaceId, id, error, end.kind === 'again' ? 'queued' : end.kind, end.kind === 'again' ? end.inMs : 0],
    'alarms-settle-notice',
  );
}
