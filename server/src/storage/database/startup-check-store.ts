import type pg from 'pg';
import { DatabaseRefused } from './failures.ts';
import { type RoleName, roleNames } from './roles.ts';
import { refusalOf, type ServerFacts } from './server-facts.ts';

/**
 * Refuses a server that could lose what it has acknowledged, and a log-in that row-level security would not hold.
 * Asked as each role, since synchronous_commit can be set for one log-in alone.
 */
export async function checkServer(pool: pg.Pool, role: RoleName, allowUnsafe: boolean): Promise<void> {
  const { rows } = await pool.query<ServerFacts>(
    `SELECT current_setting('server_version_num')::int AS version,
            current_setting('server_version') AS version_text,
            current_setting('fsync') AS fsync,
            current_setting('full_page_writes') AS full_page_writes,
            current_setting('synchronous_commit') AS synchronous_commit,
            pg_is_in_recovery() AS is_standby,
            r.rolname AS login, r.rolsuper AS is_superuser, r.rolbypassrls AS bypasses_rls,
            CASE WHEN g.oid IS NULL THEN false ELSE pg_has_role(r.oid, g.oid, 'USAGE') END AS is_member,
            (SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relowner = r.oid OR c.relowner = g.oid LIMIT 1) AS owned
       FROM pg_roles r LEFT JOIN pg_roles g ON g.rolname = $1
      WHERE r.rolname = current_user`,
    [roleNames[role]],
  );
  const facts = rows[0];
  if (!facts) throw new DatabaseRefused('unreachable', 'The database does not know who is logged in.');
  const refusal = refusalOf(facts, role, allowUnsafe);
  if (refusal) throw new DatabaseRefused(...refusal);
}
