/**
 * Who is to be looked at: with thousands of workspaces, most of them quiet, the watches of monitoring must not open each of
 * them every minute. The worker may see where an incident is open and in which hours something was heard, nothing else
 * of either table.
 */
import { type Kysely, sql } from 'kysely';

const ups = [
  'CREATE POLICY incidents_of_worker ON incidents FOR SELECT TO switchyard_worker USING (resolved_at IS NULL)',
  'GRANT SELECT (workspace_id, kind, resolved_at) ON incidents TO switchyard_worker',
  'CREATE POLICY ledger_hours_of_worker ON ledger_hours FOR SELECT TO switchyard_worker USING (true)',
  'GRANT SELECT (workspace_id, hour, heard) ON ledger_hours TO switchyard_worker',
] as const;

const downs = [
  'REVOKE SELECT (workspace_id, hour, heard) ON ledger_hours FROM switchyard_worker',
  'DROP POLICY ledger_hours_of_worker ON ledger_hours',
  'REVOKE SELECT (workspace_id, kind, resolved_at) ON incidents FROM switchyard_worker',
  'DROP POLICY incidents_of_worker ON incidents',
] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of ups) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of downs) await sql.raw(statement).execute(db);
}
