/** Parked events by when they came: those of the last hour may have passed their message, those of last week end. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`CREATE INDEX events_parked_since ON events (workspace_id, created_at) WHERE state = 'parked'`)
    .execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw('DROP INDEX events_parked_since').execute(db);
}
