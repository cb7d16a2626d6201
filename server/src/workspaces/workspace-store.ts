import {
  defaultTimeZone,
  defaultWorkspaceLanguage,
  type PersonId,
  type WorkspaceChange,
  type WorkspaceId,
} from '@switchyard/contract';
import type { Storage, Tx, WorkspaceTx } from '#storage';
import type { MemberRole } from './roles.ts';
import type { Member, MemberPage, Membership, Workspace } from './workspaces.ts';

/** Absent settings are the defaults: UTC, English. */
const columns = `w.workspace_id AS id, w.name, w.slug, w.kind, w.created_at AS "createdAt",
  coalesce(w.settings->>'timeZone', '${defaultTimeZone}') AS "timeZone",
  coalesce(w.settings->>'language', '${defaultWorkspaceLanguage}') AS language`;

/** null: the slug is taken. */
export async function insertWorkspace(
  tx: WorkspaceTx,
  workspace: Pick<Workspace, 'name' | 'slug' | 'kind'>,
): Promise<Workspace | null> {
  const [row] = await tx.query<Workspace & Record<string, unknown>>(
    `INSERT INTO workspaces AS w (workspace_id, name, slug, kind) VALUES ($1, $2, $3, $4)
     ON CONFLICT (slug) DO NOTHING RETURNING ${columns}`,
    [tx.workspaceId, workspace.name, workspace.slug, workspace.kind],
  );
  return row ?? null;
}

export function listWorkspaces(storage: Storage): Promise<Workspace[]> {
  return storage.workerStatement<Workspace & Record<string, unknown>>(
    `SELECT ${columns} FROM workspaces w WHERE w.deleted_at IS NULL ORDER BY w.created_at, w.workspace_id`,
    [],
    'workspaces-list',
  );
}

export async function findWorkspace(
  storage: Storage,
  by: { readonly id?: WorkspaceId; readonly slug?: string; readonly kind?: string },
): Promise<Workspace | null> {
  const [row] = await storage.workerStatement<Workspace & Record<string, unknown>>(
    `SELECT ${columns} FROM workspaces w
     WHERE w.deleted_at IS NULL AND (w.workspace_id = $1 OR w.slug = $2 OR w.kind = $3) ORDER BY w.created_at LIMIT 1`,
    [by.id ?? null, by.slug ?? null, by.kind ?? null],
    'workspaces-find',
  );
  return row ?? null;
}

/** Locks it. null: removed, or never there. */
export async function lockWorkspace(tx: WorkspaceTx): Promise<Workspace | null> {
  const [row] = await tx.query<Workspace & Record<string, unknown>>(
    `SELECT ${columns} FROM workspaces w WHERE w.workspace_id = $1 AND w.deleted_at IS NULL FOR NO KEY UPDATE`,
    [tx.workspaceId],
  );
  return row ?? null;
}

export async function updateWorkspace(tx: WorkspaceTx, { name, ...settings }: WorkspaceChange): Promise<Workspace> {
  const [row] = await tx.query<Workspace & Record<string, unknown>>(
    `UPDATE workspaces w SET name = coalesce($2, w.name), settings = w.settings || $3::jsonb
     WHERE w.workspace_id = $1 RETURNING ${columns}`,
    [tx.workspaceId, name ?? null, JSON.stringify(settings)],
  );
  return row as Workspace;
}

/** What Intl knows Postgres need not: its list of zones may be older, and statistics are counted there. */
export async function knowsTimeZone(tx: WorkspaceTx, name: string): Promise<boolean> {
  const rows = await tx.query('SELECT 1 FROM pg_timezone_names WHERE name = $1', [name]);
  return rows.length > 0;
}

export async function upsertMember(tx: WorkspaceTx, personId: PersonId, role: MemberRole): Promise<void> {
  await tx.query(
    `INSERT INTO members (workspace_id, person_id, role) VALUES ($1, $2, $3)
     ON CONFLICT (workspace_id, person_id) DO UPDATE SET role = excluded.role`,
    [tx.workspaceId, personId, role],
  );
}

export function listMembers(tx: WorkspaceTx, page: MemberPage | undefined): Promise<Member[]> {
  return tx.query<Member & Record<string, unknown>>(
    `SELECT p.id, p.email, p.name, p.is_operator AS "isOperator", m.role FROM members m JOIN people p ON p.id = m.person_id
     WHERE m.workspace_id = $1 AND ($2::text IS NULL OR (p.name, p.id) > ($2, $3::uuid)) ORDER BY p.name, p.id LIMIT $4`,
    [tx.workspaceId, page?.after?.name ?? null, page?.after?.id ?? null, page?.limit ?? null],
  );
}

/** The stranger's credential must be this person's id. */
export async function listMemberships(tx: Tx, personId: PersonId): Promise<Membership[]> {
  const rows = await tx.query<Workspace & { role: MemberRole } & Record<string, unknown>>(
    `SELECT ${columns}, m.role
     FROM members m JOIN workspaces w ON w.workspace_id = m.workspace_id
     WHERE m.person_id = $1 AND w.deleted_at IS NULL ORDER BY w.name, w.workspace_id`,
    [personId],
    'workspaces-memberships',
  );
  return rows.map(({ role, ...workspace }) => ({ workspace, role }));
}
