import type { PoolClient } from 'pg';
import { DatabaseRefused } from './failures.ts';
import { withOwnerClient } from './owner-pool.ts';
import {
  allRoles,
  loginName,
  loginPassword,
  type RoleName,
  type RoleOptions,
  type RoleUrls,
  roleNames,
  roleStatements,
  urlWithLogin,
} from './roles.ts';

/** Serialises the making of roles: they belong to the whole server, and two CREATE ROLE at once collide. */
const rolesLock = '7023617461';

/**
 * Makes the three roles and this database's log-ins where they are missing, and says where each logs in. Refuses, with
 * the statements for an administrator, when the owner may not create roles and they are not given.
 */
export function ensureRoles(options: RoleOptions): Promise<RoleUrls> {
  return withOwnerClient(options.ownerUrl, async (client) => {
    const database = await currentDatabase(client);
    await client.query(`SELECT pg_advisory_lock(${rolesLock})`);
    try {
      const urls: Record<RoleName, string> = { app: '', gateway: '', worker: '' };
      for (const role of allRoles) urls[role] = await ensureRole(client, options, role, database);
      return urls;
    } catch (error) {
      if (!hasSqlState(error, '42501')) throw error;
      const statements = await missingStatements(client, database);
      throw new DatabaseRefused(
        'cannot_create_roles',
        `The log-in of DATABASE_URL may not create or change roles. Have an administrator run: ${statements.join(' ')} Then set DATABASE_APP_URL, DATABASE_GATEWAY_URL and DATABASE_WORKER_URL.`,
        { cause: error },
      );
    } finally {
      await client.query(`SELECT pg_advisory_unlock(${rolesLock})`);
    }
  });
}

/** The statements that are still to be run by an administrator; none when all roles are there. `doctor` prints them. */
export function neededRoleStatements(options: { readonly ownerUrl: string }): Promise<string[]> {
  return withOwnerClient(options.ownerUrl, async (client) => missingStatements(client, await currentDatabase(client)));
}

async function missingStatements(client: PoolClient, database: string): Promise<string[]> {
  const missing: string[] = [];
  for (const { name, statement } of roleStatements(database)) {
    if (!(await hasRole(client, name))) missing.push(statement);
  }
  return missing;
}

async function ensureRole(client: PoolClient, options: RoleOptions, role: RoleName, database: string): Promise<string> {
  await makeRole(client, roleNames[role], 'NOLOGIN');
  const given = options.given?.[role];
  if (given) return given;
  const name = loginName(role, database);
  await makeRole(client, name, `LOGIN IN ROLE ${roleNames[role]}`);
  // The derived password holds base64url characters only. Set each time: the secret may have been rotated.
  await client.query(`ALTER ROLE ${name} PASSWORD '${loginPassword(role, database, options.secret)}'`);
  return urlWithLogin(options.ownerUrl, name, loginPassword(role, database, options.secret));
}

/** Not a superuser, without BYPASSRLS, CREATEROLE and CREATEDB: those are what a role is made without. */
async function makeRole(client: PoolClient, name: string, attributes: string): Promise<void> {
  if (await hasRole(client, name)) return;
  try {
    await client.query(`CREATE ROLE ${name} ${attributes}`);
  } catch (error) {
    // Our lock is of this database, roles are of the whole server: another installation may have been quicker.
    if (!hasSqlState(error, '42710') && !hasSqlState(error, '23505')) throw error;
  }
}

async function hasRole(client: PoolClient, name: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
  return rowCount === 1;
}

async function currentDatabase(client: PoolClient): Promise<string> {
  const { rows } = await client.query('SELECT current_database() AS name');
  return String(rows[0]?.name);
}

function hasSqlState(error: unknown, state: string): boolean {
  return error instanceof Error && 'code' in error && error.code === state;
}
