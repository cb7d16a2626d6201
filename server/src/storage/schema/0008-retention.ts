/**
 * Retention, erasure and reconciliation: what is kept for how long, who was erased, what was asked for after a gap.
 *
 * Raw deliveries stay out of the tenant's reach: only `worker` may empty a body, and `masked_at` says that it was done.
 */
import { type Kysely, sql } from 'kysely';

const currentWorkspace = `NULLIF(current_setting('app.workspace', true), '')::uuid`;

const tables: readonly (readonly [name: string, columns: string, workerMay: string | null])[] = [
  [
    // One contact's erasure: what to look for (forgotten when it is through), how far it has come, what it has counted.
    'erasures',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     id uuid NOT NULL,
     contact_id uuid NOT NULL,
     contact_ids uuid[] NOT NULL,
     conversation_ids uuid[] NOT NULL,
     identity_values text[] NOT NULL,
     requested_by text NOT NULL,
     requested_at timestamptz NOT NULL DEFAULT now(),
     phase text NOT NULL DEFAULT 'messages' CHECK (phase IN ('messages', 'events', 'people', 'bodies', 'returned', 'done')),
     cursor uuid,
     counts jsonb NOT NULL DEFAULT '{}',
     finished_at timestamptz,
     PRIMARY KEY (workspace_id, id)`,
    'SELECT, UPDATE',
  ],
  [
    // Raw deliveries that an erasure has found and that are still to be masked; they may lie in the operator's workspace.
    'erasure_bodies',
    `workspace_id uuid NOT NULL,
     erasure_id uuid NOT NULL,
     delivery_id uuid NOT NULL,
     identity_values text[] NOT NULL,
     PRIMARY KEY (workspace_id, erasure_id, delivery_id),
     FOREIGN KEY (workspace_id, erasure_id) REFERENCES erasures`,
    'SELECT, DELETE',
  ],
  [
    // Provider ids of erased messages, hashed: a status or an edit that comes later is not kept waiting for them.
    'erased_messages',
    `workspace_id uuid NOT NULL,
     account_id uuid NOT NULL,
     id_hash bytea NOT NULL,
     erased_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, account_id, id_hash)`,
    null,
  ],
  [
    // One look at what a provider keeps, for a span in which webhooks may have been lost.
    'reconciliations',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     account_id uuid NOT NULL,
     reason text NOT NULL CHECK (reason IN ('asked', 'downtime', 'hourly')),
     wanted_from timestamptz NOT NULL,
     wanted_until timestamptz NOT NULL,
     covered_from timestamptz,
     state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'complete', 'partial', 'unsupported', 'failed')),
     detail text,
     listed integer NOT NULL DEFAULT 0,
     recovered integer NOT NULL DEFAULT 0,
     started_at timestamptz NOT NULL DEFAULT now(),
     finished_at timestamptz,
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
    null,
  ],
];

export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  await run('ALTER TABLE event_keys ADD COLUMN erased_at timestamptz');
  await run('ALTER TABLE deliveries ADD COLUMN masked_at timestamptz');
  for (const [name, columns, workerMay] of tables) {
    await run(`CREATE TABLE ${name} (${columns})`);
    await run(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
    await run(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
    await run(`CREATE POLICY ${name}_of_workspace ON ${name} FOR ALL TO switchyard_app
      USING (workspace_id = ${currentWorkspace}) WITH CHECK (workspace_id = ${currentWorkspace})`);
    await run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO switchyard_app`);
    if (!workerMay) continue;
    await run(`CREATE POLICY ${name}_of_worker ON ${name} FOR ALL TO switchyard_worker USING (true) WITH CHECK (true)`);
    await run(`GRANT ${workerMay} ON ${name} TO switchyard_worker`);
  }
  // How far upkeep has come, and when a role was last alive: of the whole server, so without a workspace.
  await run('CREATE TABLE upkeep_marks (name text PRIMARY KEY, at timestamptz NOT NULL, cursor text)');
  await run('GRANT SELECT, INSERT, UPDATE ON upkeep_marks TO switchyard_worker');
  await run('GRANT UPDATE (body, headers, target, masked_at) ON deliveries TO switchyard_worker');
  await run('GRANT DELETE ON attempts TO switchyard_worker');
  await run('CREATE INDEX event_keys_erased ON event_keys (key_hash) WHERE erased_at IS NOT NULL');
  await run(`CREATE INDEX erasures_open ON erasures (workspace_id) WHERE phase <> 'done'`);
  await run('CREATE INDEX reconciliations_recent ON reconciliations (workspace_id, account_id, started_at DESC)');
  await run(beingErased);
  await run('REVOKE ALL ON FUNCTION is_being_erased(uuid, uuid, integer) FROM PUBLIC');
  await run('GRANT EXECUTE ON FUNCTION is_being_erased(uuid, uuid, integer) TO switchyard_app');
}

/**
 * Does a delivery tell of someone whose erasure is under way? Until its body is masked it is withheld. One that held
 * something known already (a redelivery) names its events nowhere, so all such are withheld as long. Costs one look at an
 * index that is empty as a rule.
 */
const beingErased = `
  CREATE FUNCTION is_being_erased(workspace uuid, delivery uuid, duplicates integer) RETURNS boolean
  LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM erasures x WHERE x.workspace_id = workspace AND x.phase <> 'done' AND (
      COALESCE(duplicates, 0) > 0 OR EXISTS (
        SELECT FROM events e WHERE e.workspace_id = workspace AND e.delivery_id = delivery AND (
          e.conversation_id = ANY(x.conversation_ids) OR EXISTS (
            SELECT FROM jsonb_path_query(e.payload, 'lax $.customer[*].value') AS named (value)
             WHERE ltrim(named.value #>> '{}', '+') = ANY(x.identity_values))))
      OR EXISTS (SELECT FROM erasure_bodies b WHERE b.workspace_id = workspace AND b.erasure_id = x.id AND b.delivery_id = delivery)))
  $$`;

export async function down(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  await run('DROP FUNCTION IF EXISTS is_being_erased(uuid, uuid, integer)');
  await run('DROP TABLE IF EXISTS upkeep_marks');
  for (const [name] of [...tables].reverse()) await run(`DROP TABLE IF EXISTS ${name}`);
  await run('REVOKE UPDATE (body, headers, target, masked_at) ON deliveries FROM switchyard_worker');
  await run('REVOKE DELETE ON attempts FROM switchyard_worker');
  await run('ALTER TABLE deliveries DROP COLUMN masked_at');
  await run('ALTER TABLE event_keys DROP COLUMN erased_at');
}
