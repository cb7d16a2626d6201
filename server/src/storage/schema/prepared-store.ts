import { readdir } from 'node:fs/promises';
import { withOwnerClient } from '../database/owner-pool.ts';
import { roleNames } from '../database/roles.ts';
import { jobsNote, jobsSchema } from '../engines/jobs/postgres-jobs.ts';
import { migratorTables, partitionDaysAhead } from './migrate.ts';
import { daysFrom, partitionName } from './partition-days.ts';
import { dayPartitionedTables, schemaName } from './tables.ts';

export interface PreparedDatabase {
  readonly database: string;
}

/**
 * One look, in place of all the steps that make roles, schema, partitions and job queues, and that change nothing in a
 * start like most: without it whoever was killed would be away for longer. Null: something is missing, or could not be
 * looked at; whoever then takes the steps hears what.
 */
export async function findPrepared(ownerUrl: string, now: Date): Promise<PreparedDatabase | null> {
  const wanted = await migrationNames();
  const partitions = dayPartitionedTables.flatMap((table) =>
    daysFrom(now, partitionDaysAhead).map((day) => partitionName(table, day)),
  );
  const roles = Object.values(roleNames);
  const found = await withOwnerClient(ownerUrl, async (client) => {
    const { rows } = await client.query<{ database: string; executed: string[]; is_whole: boolean }>(
      `SELECT current_database() AS database,
         (SELECT array_agg(name) FROM ${schemaName}.${migratorTables[0]}) AS executed,
         obj_description(to_regnamespace($1), 'pg_namespace') IS NOT DISTINCT FROM $2
         AND (SELECT count(*) FROM pg_roles WHERE rolname = ANY($3) AND has_schema_privilege(oid, $4, 'USAGE')) = cardinality($3)
         AND NOT EXISTS (SELECT 1 FROM unnest($5::text[]) AS name WHERE to_regclass($4 || '.' || name) IS NULL) AS is_whole`,
      [jobsSchema, jobsNote(roles), roles, schemaName, partitions],
    );
    return rows[0];
  }).catch(() => undefined);
  if (!found?.is_whole || found.executed.toSorted().join() !== wanted.join()) return null;
  return { database: found.database };
}

/** A migration is a file of this folder that begins with its number: the names without the files, which bring kysely along. */
export async function migrationNames(): Promise<string[]> {
  const names = await readdir(import.meta.dirname);
  return names.flatMap((name) => /^(\d{4}-[a-z-]+)\.ts$/.exec(name)?.[1] ?? []).sort();
}
