/**
 * Tries that failed apart from those that the process did not outlive: of a delivery `attempts` counts the deaths and
 * `left_over` the batches that left it to the next, of an event `attempts` counts the failures and `deaths` the others.
 * Added with constant defaults, for which no row is rewritten.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('ALTER TABLE inbox ADD COLUMN left_over integer NOT NULL DEFAULT 0').execute(db);
  await sql.raw('ALTER TABLE events ADD COLUMN deaths integer NOT NULL DEFAULT 0').execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw('ALTER TABLE events DROP COLUMN deaths').execute(db);
  await sql.raw('ALTER TABLE inbox DROP COLUMN left_over').execute(db);
}
