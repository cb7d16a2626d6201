/**
 * Why an erasure stands still: the kind of error (never its words, which may quote what is to be forgotten) and when.
 * Those that failed take their turn after those that did not.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('ALTER TABLE erasures ADD COLUMN failure text, ADD COLUMN failed_at timestamptz').execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw('ALTER TABLE erasures DROP COLUMN failure, DROP COLUMN failed_at').execute(db);
}
