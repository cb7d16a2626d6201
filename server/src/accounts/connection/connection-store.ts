/** SQL of an account's connection: its columns in `accounts`, and the history in `connection_changes`. */
import type { AccountId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { ConnectionStatus } from './connection.ts';

/** How long the history of moves is kept. */
export const connectionHistoryDays = 90;

export interface ConnectionRow {
  readonly [column: string]: unknown;
  readonly status: ConnectionStatus;
  readonly reason: string | null;
  readonly reportedAt: Date | null;
}

/** Not of removed ones. */
export async function findConnection(tx: WorkspaceTx, accountId: AccountId): Promise<ConnectionRow | undefined> {
  const rows = await tx.query<ConnectionRow>(
    `SELECT connection_status AS status, connection_error AS reason, connection_reported_at AS "reportedAt"
     FROM accounts WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL`,
    [tx.workspaceId, accountId],
    'connection-find',
  );
  return rows[0];
}

/** When it was connected last, and ceased to be; null: it never was, or longer ago than the history tells. */
export async function findLastLeft(tx: WorkspaceTx, accountId: AccountId): Promise<Date | null> {
  const rows = await tx.query<{ at: Date }>(
    `SELECT at FROM connection_changes
     WHERE workspace_id = $1 AND account_id = $2 AND previous = 'connected' ORDER BY at DESC, id DESC LIMIT 1`,
    [tx.workspaceId, accountId],
    'connection-find-last-left',
  );
  return rows[0]?.at ?? null;
}

/** Those that hold a place of the plan, without this one. */
export async function countConnected(tx: WorkspaceTx, except: AccountId): Promise<number> {
  const rows = await tx.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM accounts
     WHERE workspace_id = $1 AND id <> $2 AND connection_status IN ('connecting', 'connected') AND deleted_at IS NULL`,
    [tx.workspaceId, except],
  );
  return rows[0]?.count ?? 0;
}

/** The workspace's own limit of connected accounts; null where its settings name none. */
export async function loadAccountLimit(tx: WorkspaceTx): Promise<number | null> {
  const rows = await tx.query<{ limit: unknown }>(
    `SELECT settings -> 'maxConnectedAccounts' AS limit FROM workspaces WHERE workspace_id = $1`,
    [tx.workspaceId],
  );
  const limit = rows[0]?.limit;
  return typeof limit === 'number' && Number.isInteger(limit) && limit >= 0 ? limit : null;
}

export interface ConnectionToKeep {
  readonly status: ConnectionStatus;
  readonly reason: string | null;
  readonly at: Date;
  readonly reportedAt: Date | null;
  readonly isMoved: boolean;
}

/** A QR code is of no use once the account is connected, or is not wanted. */
export async function keepConnection(tx: WorkspaceTx, accountId: AccountId, kept: ConnectionToKeep): Promise<void> {
  await tx.query(
    `UPDATE accounts SET connection_status = $3,
       connection_error = CASE WHEN $3 IN ('error', 'disconnected') THEN $4::text END,
       connection_changed_at = CASE WHEN $7 THEN $5 ELSE connection_changed_at END,
       connection_reported_at = coalesce($6, connection_reported_at),
       last_activity_at = greatest(last_activity_at, $5), updated_at = now(),
       last_connected_at = CASE WHEN $3 = 'connected' THEN $5 ELSE last_connected_at END,
       metadata = CASE WHEN $3 IN ('connected', 'disconnected') THEN metadata - 'qr' ELSE metadata END
     WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, accountId, kept.status, kept.reason, kept.at, kept.reportedAt, kept.isMoved],
  );
}

export async function keepConnectionError(tx: WorkspaceTx, accountId: AccountId, reason: string): Promise<void> {
  await tx.query('UPDATE accounts SET connection_error = $3, updated_at = now() WHERE workspace_id = $1 AND id = $2', [
    tx.workspaceId,
    accountId,
    reason,
  ]);
}

export interface ConnectionChangeToInsert {
  readonly id: string;
  readonly accountId: AccountId;
  readonly previous: ConnectionStatus;
  readonly next: ConnectionStatus;
  readonly reason: string | null;
  readonly actor: string;
  readonly at: Date;
}

/** What is older than `connectionHistoryDays` goes as the new one comes. */
export async function insertConnectionChange(tx: WorkspaceTx, change: ConnectionChangeToInsert): Promise<void> {
  await tx.query(
    `DELETE FROM connection_changes
     WHERE workspace_id = $1 AND account_id = $2 AND at < $3::timestamptz - make_interval(days => $4)`,
    [tx.workspaceId, change.accountId, change.at, connectionHistoryDays],
  );
  await tx.query(
    `INSERT INTO connection_changes (workspace_id, id, account_id, previous, next, reason, actor, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [tx.workspaceId, change.id, change.accountId, change.previous, change.next, change.reason, change.actor, change.at],
  );
}

export interface PastConnectionChange {
  readonly [column: string]: unknown;
  readonly previous: ConnectionStatus;
  readonly next: ConnectionStatus;
  readonly reason: string | null;
  readonly actor: string;
  readonly at: Date;
}

/** Newest first. */
export function listConnectionChanges(
  tx: WorkspaceTx,
  accountId: AccountId,
  limit: number,
): Promise<PastConnectionChange[]> {
  return tx.query<PastConnectionChange>(
    `SELECT previous, next, reason, actor, at FROM connection_changes
     WHERE workspace_id = $1 AND account_id = $2 ORDER BY at DESC, id DESC LIMIT $3`,
    [tx.workspaceId, accountId, limit],
  );
}
