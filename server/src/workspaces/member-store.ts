import type { PersonId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { MemberRole } from './roles.ts';

/** Locks the workspace's owners, in one order, until the commit: two that leave at once are seen one after the other. */
export async function lockOwners(tx: WorkspaceTx): Promise<readonly PersonId[]> {
  const rows = await tx.query<{ id: PersonId }>(
    `SELECT person_id AS id FROM members WHERE workspace_id = $1 AND role = 'owner' ORDER BY person_id FOR UPDATE`,
    [tx.workspaceId],
  );
  return rows.map(({ id }) => id);
}

/** Locks the member's row. null: no member. */
export async function lockMember(tx: WorkspaceTx, personId: PersonId): Promise<MemberRole | null> {
  const [row] = await tx.query<{ role: MemberRole }>(
    'SELECT role FROM members WHERE workspace_id = $1 AND person_id = $2 FOR UPDATE',
    [tx.workspaceId, personId],
  );
  return row?.role ?? null;
}

export async function setRole(tx: WorkspaceTx, personId: PersonId, role: MemberRole): Promise<void> {
  await tx.query('UPDATE members SET role = $3 WHERE workspace_id = $1 AND person_id = $2', [
    tx.workspaceId,
    personId,
    role,
  ]);
}

export async function deleteMember(tx: WorkspaceTx, personId: PersonId): Promise<void> {
  await tx.query('DELETE FROM members WHERE workspace_id = $1 AND person_id = $2', [tx.workspaceId, personId]);
}

/** False: they are a member already; their role stays. */
export async function insertMember(tx: WorkspaceTx, personId: PersonId, role: MemberRole): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO members (workspace_id, person_id, role) VALUES ($1, $2, $3)
     ON CONFLICT (workspace_id, person_id) DO NOTHING RETURNING person_id`,
    [tx.workspaceId, personId, role],
  );
  return rows.length === 1;
}

export async function isMemberByEmail(tx: WorkspaceTx, email: string): Promise<boolean> {
  const rows = await tx.query(
    'SELECT 1 FROM members m JOIN people p ON p.id = m.person_id WHERE m.workspace_id = $1 AND p.email = $2',
    [tx.workspaceId, email],
  );
  return rows.length === 1;
}
