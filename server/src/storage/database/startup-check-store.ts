import type pg from 'pg';
import { type DatabaseRefusalCode, DatabaseRefused } from './failures.ts';
import { type RoleName, roleNames } from './roles.ts';

const oldestVersion = 150_000;

interface Facts {
  readonly version: number;
  readonly version_text: string;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
  readonly is_standby: boolean;
  readonly login: string;
  readonly is_superuser: boolean;
  readonly bypasses_rls: boolean;
  readonly is_member: boolean;
  readonly owned: string | null;
}

/**
 * Refuses a server that could lose what it has acknowledged, and a log-in that row-level security would not hold.
 * Asked as each role, since synchronous_commit can be set for one log-in alone.
 */
export async function checkServer(pool: pg.Pool, role: RoleName, allowUnsafe: boolean): Promise<void> {
  const { rows } = await pool.query<Facts>(
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

function refusalOf(facts: Facts, role: RoleName, allowUnsafe: boolean): [DatabaseRefusalCode, string] | undefined {
  if (facts.version < oldestVersion) {
    return ['too_old', `The database is PostgreSQL ${facts.version_text}; 15 or newer is needed.`];
  }
  if (facts.is_standby) return ['read_only', 'The database is a read-only standby; give the URL of the primary.'];
  return (allowUnsafe ? undefined : durabilityRefusal(facts)) ?? rightsRefusal(facts, role);
}

function durabilityRefusal(facts: Facts): [DatabaseRefusalCode, string] | undefined {
  if (facts.fsync !== 'on') {
    return ['fsync_off', 'The database runs with fsync=off: what it acknowledges is not on disk. Set fsync=on.'];
  }
  if (facts.full_page_writes !== 'on') {
    return [
      'full_page_writes_off',
      'The database runs with full_page_writes=off: a crash can destroy it. Set it to on.',
    ];
  }
  if (['off', 'local'].includes(facts.synchronous_commit)) {
    return [
      'synchronous_commit_off',
      `The database has synchronous_commit=${facts.synchronous_commit} for ${facts.login}: a commit could be lost. Set it to on.`,
    ];
  }
  return undefined;
}

function rightsRefusal(facts: Facts, role: RoleName): [DatabaseRefusalCode, string] | undefined {
  if (facts.is_superuser) {
    return [
      'role_is_superuser',
      `The ${role} log-in ${facts.login} is a superuser: no row-level security would hold it.`,
    ];
  }
  if (facts.bypasses_rls) {
    return [
      'role_bypasses_rls',
      `The ${role} log-in ${facts.login} has BYPASSRLS: no row-level security would hold it.`,
    ];
  }
  if (!facts.is_member) {
    return ['role_is_no_member', `The ${role} log-in ${facts.login} is not a member of ${roleNames[role]}.`];
  }
  if (facts.owned) {
    return ['role_owns_something', `The ${role} log-in ${facts.login} owns ${facts.owned}; it must own nothing.`];
  }
  return undefined;
}
