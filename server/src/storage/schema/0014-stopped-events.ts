/**
 * Events that wait or ended dead, found by what a person knows of them: their messages have no row yet, or never will.
 *
 * The id is a column of its own because row-level security lets nothing be looked up in an index by an expression over
 * `payload`. Only what is pending or parked when it is written has one: what is handled at once, nearly all, pays nothing.
 *
 * The table is read three times while it is locked. Webhooks are taken meanwhile: the gateway does not touch it.
 */
import { type Kysely, sql } from 'kysely';

const stopped = `('pending', 'parked', 'dead')`;

const ups = [
  'ALTER TABLE events ADD COLUMN provider_message_id text',
  // The owner sees no row of a table whose policies are forced on it.
  'ALTER TABLE events NO FORCE ROW LEVEL SECURITY',
  `UPDATE events SET provider_message_id = payload->>'providerMessageId'
   WHERE state IN ${stopped} AND length(payload->>'providerMessageId') <= 300`,
  'ALTER TABLE events FORCE ROW LEVEL SECURITY',
  `CREATE INDEX events_stopped_id ON events (workspace_id, provider_message_id)
   WHERE state IN ${stopped} AND provider_message_id IS NOT NULL`,
  // Of those that are pending there is events_pending.
  `CREATE INDEX events_stopped ON events (workspace_id, conversation_id, position)
   WHERE state IN ('parked', 'dead') AND conversation_id IS NOT NULL`,
] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of ups) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw('DROP INDEX events_stopped').execute(db);
  await sql.raw('DROP INDEX events_stopped_id').execute(db);
  await sql.raw('ALTER TABLE events DROP COLUMN provider_message_id').execute(db);
}
