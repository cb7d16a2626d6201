/** Kysely and the migrations themselves: three hundred files, for a start that has something to change, and for commands. */
import { Kysely, PostgresDialect } from 'kysely';
import { type MigrationResultSet, Migrator, NO_MIGRATIONS } from 'kysely/migration';
import type pg from 'pg';
import { SchemaFailure } from './failures.ts';
import type { MigrationStep } from './migrate.ts';
import { migrations } from './migrations.ts';
import { schemaName } from './tables.ts';

export { migrations };

export function migrateUp(pool: pg.Pool): Promise<MigrationStep[]> {
  return run(pool, (migrator) => migrator.migrateToLatest());
}

/** The last one, or all that came after `to`; 'none': all of them. */
export function migrateDown(pool: pg.Pool, to: string | undefined): Promise<MigrationStep[]> {
  return run(pool, (migrator) => {
    if (to === undefined) return migrator.migrateDown();
    return migrator.migrateTo(to === 'none' ? NO_MIGRATIONS : to);
  });
}

async function run(pool: pg.Pool, go: (migrator: Migrator) => Promise<MigrationResultSet>): Promise<MigrationStep[]> {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: keepOpen(pool) }) });
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableSchema: schemaName,
  });
  const { error, results } = await go(migrator);
  if (error) {
    const failed = results?.find((result) => result.status === 'Error')?.migrationName;
    const reason = error instanceof Error ? error.message : JSON.stringify(error);
    throw new SchemaFailure('migration_failed', `Migration ${failed ?? ''} failed and was undone: ${reason}`, {
      cause: error,
    });
  }
  return (results ?? []).map((result) => ({
    name: result.migrationName,
    direction: result.direction === 'Up' ? 'up' : 'down',
  }));
}

/** Kysely may end its pool; ours is ended by whoever opened it. */
function keepOpen(pool: pg.Pool) {
  return { connect: () => pool.connect(), end: async () => {}, options: pool.options };
}
