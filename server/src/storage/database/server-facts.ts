import type { DatabaseRefusalCode } from './failures.ts';
import { type RoleName, roleNames } from './roles.ts';

const oldestVersion = 150_000;

/** What a server says of itself and of the log-in that asks. */
export interface ServerFacts {
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

/** Why this server, or this log-in for `role`, is refused; undefined: it is fine. `allowUnsafe` passes over durability only. */
export function refusalOf(
  facts: ServerFacts,
  role: RoleName,
  allowUnsafe: boolean,
): [DatabaseRefusalCode, string] | undefined {
  if (facts.version < oldestVersion) {
    return ['too_old', `The database is PostgreSQL ${facts.version_text}; 15 or newer is needed.`];
  }
  if (facts.is_standby) return ['read_only', 'The database is a read-only standby; give the URL of the primary.'];
  return (allowUnsafe ? undefined : durabilityRefusal(facts)) ?? rightsRefusal(facts, role);
}

function durabilityRefusal(facts: ServerFacts): [DatabaseRefusalCode, string] | undefined {
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

function rightsRefusal(facts: ServerFacts, role: RoleName): [DatabaseRefusalCode, string] | undefined {
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
