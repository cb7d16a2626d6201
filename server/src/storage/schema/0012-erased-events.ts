/**
 * What an erasure took of a delivery, as a number: the ledger asks whether every event that was read is there, and an
 * erased one is neither there nor lost. The row lies where the events lay, which for a shared route is not where the
 * delivery lies. And deliveries of which a part was set aside are withheld during an erasure like any other that names
 * the person.
 */
import { type Kysely, sql } from 'kysely';

const currentWorkspace = `NULLIF(current_setting('app.workspace', true), '')::uuid`;

/** As 0008 has it, with `more` to be withheld for. */
const beingErased = (more: string) => `
  CREATE OR REPLACE FUNCTION is_being_erased(workspace uuid, delivery uuid, duplicates integer) RETURNS boolean
  LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM erasures x WHERE x.workspace_id = workspace AND x.phase <> 'done' AND (
      COALESCE(duplicates, 0) > 0 OR EXISTS (
        SELECT FROM events e WHERE e.workspace_id = workspace AND e.delivery_id = delivery AND (
          e.conversation_id = ANY(x.conversation_ids) OR EXISTS (
            SELECT FROM jsonb_path_query(e.payload, 'lax $.customer[*].value') AS named (value)
             WHERE ltrim(named.value #>> '{}', '+') = ANY(x.identity_values))))
      OR EXISTS (SELECT FROM erasure_bodies b WHERE b.workspace_id = workspace AND b.erasure_id = x.id AND b.delivery_id = delivery)${more}))
  $$`;

/** A part that was set aside has no event that would name anybody. */
const namedWhereSetAside = `
      OR EXISTS (SELECT FROM dead_letters l JOIN deliveries d ON d.workspace_id = workspace AND d.id = delivery
        WHERE l.workspace_id = workspace AND l.delivery_id = delivery AND EXISTS (
          SELECT FROM unnest(x.identity_values) AS named (value) WHERE position(convert_to(named.value, 'UTF8') in d.body) > 0))`;

const ups = [
  `CREATE TABLE erased_events (
     workspace_id uuid NOT NULL,
     delivery_id uuid NOT NULL,
     event_count integer NOT NULL CHECK (event_count > 0),
     PRIMARY KEY (workspace_id, delivery_id))`,
  // Of a shared route's delivery the worker asks without knowing whose its events were.
  'CREATE INDEX erased_events_delivery ON erased_events (delivery_id)',
  'ALTER TABLE erased_events ENABLE ROW LEVEL SECURITY',
  'ALTER TABLE erased_events FORCE ROW LEVEL SECURITY',
  `CREATE POLICY erased_events_of_workspace ON erased_events FOR ALL TO switchyard_app
     USING (workspace_id = ${currentWorkspace}) WITH CHECK (workspace_id = ${currentWorkspace})`,
  'GRANT SELECT, INSERT, UPDATE, DELETE ON erased_events TO switchyard_app',
  'CREATE POLICY erased_events_of_worker ON erased_events FOR SELECT TO switchyard_worker USING (true)',
  'GRANT SELECT ON erased_events TO switchyard_worker',
  beingErased(namedWhereSetAside),
] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of ups) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw(beingErased('')).execute(db);
  await sql.raw('DROP TABLE IF EXISTS erased_events').execute(db);
}
