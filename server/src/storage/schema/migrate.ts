import type pg from 'pg';
import { type Clock, once, systemClock } from '#kernel';
import { withOwnerPool } from '../database/owner-pool.ts';
import { roleNames } from '../database/roles.ts';
import { SchemaFailure } from './failures.ts';
import { ensurePartitions } from './partitions-store.ts';
import { schemaName } from './tables.ts';

/** The owner's log-in. The roles must be there (`ensureRoles`): the migrations grant to them by name. */
export interface SchemaOptions {
  readonly ownerUrl: string;
}

export interface MigrationStep {
  readonly name: string;
  readonly direction: 'up' | 'down';
}

export interface MigrationState {
  readonly name: string;
  readonly executedAt: Date | undefined;
}

/** Days for which partitions are made at once, today included; a daily `ensurePartitions` keeps them ahead. */
export const partitionDaysAhead = 8;

const loadMigrator = once(() => import('./migrator.ts'));

/** What kysely's Migrator keeps, in our schema like everything of ours. */
export const migratorTables = ['kysely_migration', 'kysely_migration_lock'] as const;

/**
 * Brings the schema to the newest migration, all in one transaction under an advisory lock: a process that comes second
 * waits and then finds nothing to do. Makes the partitions of the next days too. Refuses a schema made by a newer program and a schema that is not ours.
 */
export async function migrate(options: SchemaOptions & { readonly clock?: Clock }): Promise<MigrationStep[]> {
  const steps = await withOwnerPool(options.ownerUrl, async (pool) => {
    await refuseNewer(pool);
    await prepareSchema(pool);
    return (await loadMigrator()).migrateUp(pool);
  });
  await ensurePartitions(options, (options.clock ?? systemClock).now(), partitionDaysAhead);
  return steps;
}

/** Undoes the last migration, or all that came after `to` ('none': all of them). Rows of dropped tables are gone. */
export async function rollback(options: SchemaOptions & { readonly to?: string }): Promise<MigrationStep[]> {
  const { to } = options;
  const { migrations, migrateDown } = await loadMigrator();
  if (to !== undefined && to !== 'none' && !migrations[to]) {
    throw new SchemaFailure('unknown_migration', `There is no migration "${to}".`);
  }
  return withOwnerPool(options.ownerUrl, async (pool) => {
    await refuseNewer(pool);
    if (!(await hasMigratorTable(pool))) return [];
    return migrateDown(pool, to);
  });
}

/** Every migration this program knows, with the moment it was executed. Changes nothing. */
export function migrationStates(options: SchemaOptions): Promise<MigrationState[]> {
  return withOwnerPool(options.ownerUrl, async (pool) => {
    const executed = await executedMigrations(pool);
    const { migrations } = await loadMigrator();
    const names = new Set([...Object.keys(migrations), ...executed.keys()]);
    return [...names].sort().map((name) => ({ name, executedAt: executed.get(name) }));
  });
}

async function prepareSchema(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ rolname: string }>('SELECT rolname FROM pg_roles WHERE rolname = ANY($1)', [
    Object.values(roleNames),
  ]);
  const missing = Object.values(roleNames).filter((name) => !rows.some((row) => row.rolname === name));
  if (missing.length > 0) {
    throw new SchemaFailure('missing_roles', `These database roles are missing: ${missing.join(', ')}.`);
  }
  if (!(await hasMigratorTable(pool))) await makeSchema(pool);
  const unable = await pool.query(
    `SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND NOT has_schema_privilege(oid, $2, 'USAGE')`,
    [Object.values(roleNames), schemaName],
  );
  // Grants that meet fail, and processes are started together: only what is missing, and one after the other.
  if (unable.rowCount) {
    await pool.query(
      `SELECT pg_advisory_xact_lock(hashtext('switchyard schema'));
       GRANT USAGE ON SCHEMA ${schemaName} TO ${Object.values(roleNames).join(', ')}`,
    );
  }
}

async function makeSchema(pool: pg.Pool): Promise<void> {
  const found = await pool.query<{ relname: string }>(
    'SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 LIMIT 1',
    [schemaName],
  );
  const stranger = found.rows[0]?.relname;
  if (stranger) {
    throw new SchemaFailure(
      'not_our_schema',
      `The database has a schema "${schemaName}" that this program did not make (it holds "${stranger}"); it is left untouched.`,
    );
  }
  const there = await pool.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schemaName]);
  // Not "IF NOT EXISTS" alone: that asks for the right to create even where there is nothing to create.
  if (there.rowCount === 0) await pool.query(`CREATE SCHEMA IF NOT EXISTS ${schemaName}`);
}

async function refuseNewer(pool: pg.Pool): Promise<void> {
  const executed = await executedMigrations(pool);
  const { migrations } = await loadMigrator();
  const unknown = [...executed.keys()].filter((name) => !migrations[name]);
  if (unknown.length === 0) return;
  throw new SchemaFailure(
    'newer_schema',
    `The database was made by a newer version of Switchyard (it has ${unknown.join(', ')}): start that version.`,
  );
}

async function hasMigratorTable(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query('SELECT to_regclass($1) IS NOT NULL AS there', [
    `${schemaName}.${migratorTables[0]}`,
  ]);
  return rows[0]?.there === true;
}

async function executedMigrations(pool: pg.Pool): Promise<Map<string, Date>> {
  if (!(await hasMigratorTable(pool))) return new Map();
  const { rows } = await pool.query<{ name: string; timestamp: string }>(
    `SELECT name, timestamp FROM ${schemaName}.${migratorTables[0]}`,
  );
  return new Map(rows.map((row) => [row.name, new Date(row.timestamp)]));
}
