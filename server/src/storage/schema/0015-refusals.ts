/**
 * When webhooks were refused: a row for each span of each process, until the incident that tells of it has ended. Of the whole
 * deployment and no workspace's: the worker's role has it, nobody else.
 */
import { type Kysely, sql } from 'kysely';

const ups = [
  `CREATE TABLE refusals (
     id uuid PRIMARY KEY,
     reasons text[] NOT NULL,
     began_at timestamptz NOT NULL,
     last_at timestamptz NOT NULL,
     is_over boolean NOT NULL,
     is_told boolean NOT NULL DEFAULT false)`,
  'GRANT SELECT, INSERT, UPDATE, DELETE ON refusals TO switchyard_worker',
] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of ups) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw('DROP TABLE IF EXISTS refusals').execute(db);
}
