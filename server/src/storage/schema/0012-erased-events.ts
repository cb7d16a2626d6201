/**
 * What an erasure took of a delivery, as a number: the ledger asks whether every event that was read is there, and an
 * erased one is neither there nor lost. The row lies where the events lay, which for a shared route is not where the
 * delivery lies.
 */
import { type Kysely, sql } from 'kysely';

const currentWorkspace = `NULLIF(current_setting('app.workspace', true), '')::uuid`;

const ups = [
  `CREATE TABLE erased_events (
     workspace_id uuid NOT NULL,
     delivery_id uuid NOT NULL,
     event_count integer NOT NULL CHECK (event_count > 0),
     PRIMARY KEY (workspace_id, delivery_id))`,
  'ALTER TABLE erased_events ENABLE ROW LEVEL SECURITY',
  'ALTER TABLE erased_events FORCE ROW LEVEL SECURITY',
  `CREATE POLICY erased_events_of_workspace ON erased_events FOR ALL TO switchyard_app
     USING (workspace_id = ${currentWorkspace}) WITH CHECK (workspace_id = ${currentWorkspace})`,
  'GRANT SELECT, INSERT, UPDATE, DELETE ON erased_events TO switchyard_app',
  'CREATE POLICY erased_events_of_worker ON erased_events FOR SELECT TO switchyard_worker USING (true)',
  'GRANT SELECT ON erased_events TO switchyard_worker',
] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of ups) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw('DROP TABLE IF EXISTS erased_events').execute(db);
}
