/**
 * Of a delivery, how often it was left for the next batch: apart from `attempts`, which counts the processes that died over
 * it. Added with a constant default, which no row is rewritten for.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('ALTER TABLE inbox ADD COLUMN left_over integer NOT NULL DEFAULT 0').execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw('ALTER TABLE inbox DROP COLUMN left_over').execute(db);
}
