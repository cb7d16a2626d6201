import type { InvitationId, WorkspaceId } from '@switchyard/contract';
import type { Tx, WorkspaceTx } from '#storage';
import type { MemberRole } from '../roles.ts';
import type { Invitation } from './invitations.ts';

const columns = `id, email, role, invited_by AS "invitedBy", created_at AS "createdAt", expires_at AS "expiresAt",
  accepted_at AS "acceptedAt", revoked_at AS "revokedAt"`;
const isOpen = 'accepted_at IS NULL AND revoked_at IS NULL';

export interface NewInvitationRow {
  readonly id: InvitationId;
  readonly email: string;
  readonly role: MemberRole;
  readonly tokenHash: string;
  readonly invitedBy: string;
  readonly expiresAt: Date;
}

/** In the place of an earlier open one to the same address, whose link ends. */
export async function insertInvitation(tx: WorkspaceTx, row: NewInvitationRow): Promise<Invitation> {
  await tx.query(`UPDATE invitations SET revoked_at = now() WHERE workspace_id = $1 AND email = $2 AND ${isOpen}`, [
    tx.workspaceId,
    row.email,
  ]);
  const rows = await tx.query<Invitation & Record<string, unknown>>(
    `INSERT INTO invitations (workspace_id, id, email, role, token_hash, invited_by, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${columns}`,
    [tx.workspaceId, row.id, row.email, row.role, row.tokenHash, row.invitedBy, row.expiresAt],
  );
  return rows[0] as Invitation;
}

/** Serialises invitations of a workspace: the bound on open ones holds, and two to one address do not collide. */
export async function countOpenInvitations(tx: WorkspaceTx, now: Date): Promise<number> {
  await tx.query('SELECT 1 FROM workspaces WHERE workspace_id = $1 FOR UPDATE', [tx.workspaceId]);
  const [row] = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM invitations WHERE workspace_id = $1 AND ${isOpen} AND expires_at > $2`,
    [tx.workspaceId, now],
  );
  return row?.count ?? 0;
}

/** The newest first. */
export function listInvitations(
  tx: WorkspaceTx,
  page: { readonly before?: InvitationId | undefined; readonly limit: number },
): Promise<Invitation[]> {
  return tx.query<Invitation & Record<string, unknown>>(
    `SELECT ${columns} FROM invitations WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3`,
    [tx.workspaceId, page.before ?? null, page.limit],
  );
}

/** null: there is none such, or it is over already. */
export async function revokeInvitation(tx: WorkspaceTx, id: InvitationId): Promise<Invitation | null> {
  const rows = await tx.query<Invitation & Record<string, unknown>>(
    `UPDATE invitations SET revoked_at = now() WHERE workspace_id = $1 AND id = $2 AND ${isOpen} RETURNING ${columns}`,
    [tx.workspaceId, id],
  );
  return rows[0] ?? null;
}

/** Open or over. The stranger's credential must be this hash. null: unknown, or replaced by a newer link. */
export async function findInvitationByToken(
  tx: Tx,
  tokenHash: string,
): Promise<(Invitation & { readonly workspaceId: WorkspaceId }) | null> {
  const rows = await tx.query<Invitation & { workspaceId: WorkspaceId } & Record<string, unknown>>(
    `SELECT workspace_id AS "workspaceId", ${columns} FROM invitations WHERE token_hash = $1`,
    [tokenHash],
  );
  return rows[0] ?? null;
}

/** Locks it. False: it was accepted, revoked or sent anew under another link meanwhile. */
export async function lockInvitation(tx: WorkspaceTx, id: InvitationId, tokenHash: string): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM invitations WHERE workspace_id = $1 AND id = $2 AND token_hash = $3 AND ${isOpen} FOR UPDATE`,
    [tx.workspaceId, id, tokenHash],
  );
  return rows.length === 1;
}

/** Under a new link; the old one ends. null: there is none such that could still be accepted, were its time not over. */
export async function renewInvitation(
  tx: WorkspaceTx,
  id: InvitationId,
  { tokenHash, expiresAt }: Pick<NewInvitationRow, 'tokenHash' | 'expiresAt'>,
): Promise<Invitation | null> {
  const rows = await tx.query<Invitation & Record<string, unknown>>(
    `UPDATE invitations SET token_hash = $3, expires_at = $4
     WHERE workspace_id = $1 AND id = $2 AND ${isOpen} RETURNING ${columns}`,
    [tx.workspaceId, id, tokenHash, expiresAt],
  );
  return rows[0] ?? null;
}

export async function findInvitation(tx: WorkspaceTx, id: InvitationId): Promise<Invitation | null> {
  const rows = await tx.query<Invitation & Record<string, unknown>>(
    `SELECT ${columns} FROM invitations WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, id],
  );
  return rows[0] ?? null;
}

export async function markAccepted(tx: WorkspaceTx, id: InvitationId): Promise<void> {
  await tx.query('UPDATE invitations SET accepted_at = now() WHERE workspace_id = $1 AND id = $2', [
    tx.workspaceId,
    id,
  ]);
}
