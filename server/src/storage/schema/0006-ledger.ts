/**
 * The ledger: what each hour's deliveries came to, incidents and who is told of them, canaries, and a view of deliveries
 * in the columns that teams know from a webhook log.
 *
 * Every table has row-level security as in the first schema. The worker sees of all workspaces only what is due.
 */
import { type Kysely, sql } from 'kysely';

const currentWorkspace = `NULLIF(current_setting('app.workspace', true), '')::uuid`;

const tables: readonly (readonly [name: string, columns: string])[] = [
  [
    // Of what came in this hour: how far it has come. The nil account stands for app-level shared routes.
    'ledger_hours',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     account_id uuid NOT NULL,
     hour timestamptz NOT NULL,
     received bigint NOT NULL,
     stored bigint NOT NULL,
     normalised bigint NOT NULL,
     duplicates bigint NOT NULL,
     events bigint NOT NULL,
     handled bigint NOT NULL,
     answered bigint NOT NULL,
     forwarded bigint NOT NULL,
     parked bigint NOT NULL,
     dead bigint NOT NULL,
     heard bigint NOT NULL,
     counted_at timestamptz NOT NULL,
     PRIMARY KEY (workspace_id, account_id, hour)`,
  ],
  [
    'incidents',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     id uuid NOT NULL,
     kind text NOT NULL,
     subject text NOT NULL,
     account_id uuid,
     facts jsonb NOT NULL DEFAULT '{}',
     opened_at timestamptz NOT NULL,
     last_seen_at timestamptz NOT NULL,
     times_seen integer NOT NULL DEFAULT 1,
     resolved_at timestamptz,
     PRIMARY KEY (workspace_id, id)`,
  ],
  [
    'alarm_targets',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     id uuid NOT NULL,
     kind text NOT NULL CHECK (kind IN ('email', 'webhook')),
     address text NOT NULL,
     secret_sealed bytea,
     created_at timestamptz NOT NULL DEFAULT now(),
     deleted_at timestamptz,
     PRIMARY KEY (workspace_id, id)`,
  ],
  [
    'alarm_notices',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     target_id uuid NOT NULL,
     incident_id uuid,
     occasion text NOT NULL CHECK (occasion IN ('opened', 'resolved', 'test')),
     state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed')),
     attempts integer NOT NULL DEFAULT 0,
     due_at timestamptz NOT NULL DEFAULT now(),
     error text,
     created_at timestamptz NOT NULL DEFAULT now(),
     settled_at timestamptz,
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, target_id) REFERENCES alarm_targets,
     FOREIGN KEY (workspace_id, incident_id) REFERENCES incidents`,
  ],
  [
    'canaries',
    `workspace_id uuid NOT NULL,
     account_id uuid NOT NULL,
     every_minutes integer NOT NULL CHECK (every_minutes BETWEEN 1 AND 1440),
     due_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, account_id),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
  ],
  [
    // id: of the delivery that was sent through, so that its trace is the run's.
    'canary_runs',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     account_id uuid NOT NULL,
     started_at timestamptz NOT NULL,
     routed_ms real,
     verified_ms real,
     stored_ms real,
     error text,
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
  ],
];

const indexes = [
  'CREATE UNIQUE INDEX incidents_open ON incidents (workspace_id, kind, subject) WHERE resolved_at IS NULL',
  'CREATE INDEX incidents_recent ON incidents (workspace_id, opened_at DESC, id)',
  `CREATE INDEX alarm_notices_due ON alarm_notices (due_at) WHERE state = 'queued'`,
  'CREATE INDEX alarm_notices_target ON alarm_notices (workspace_id, target_id, created_at)',
  'CREATE INDEX alarm_notices_incident ON alarm_notices (workspace_id, incident_id)',
  'CREATE INDEX canary_runs_account ON canary_runs (workspace_id, account_id, started_at DESC)',
];

/** What the worker may see across workspaces: where something is due. */
const workerTables = ['alarm_notices', 'canaries'];

/**
 * Body and headers stay out: what is shown was read from them, and is always JSON. `status`: received until every event of
 * it has ended, then processed, or error where a part is dead.
 */
const webhookLogs = `
  CREATE VIEW webhook_logs WITH (security_invoker = true) AS
  SELECT d.workspace_id, d.id, d.account_id AS social_account_id,
    COALESCE(a.channel, CASE d.provider WHEN 'instagram' THEN 'instagram' ELSE 'whatsapp' END) AS platform,
    COALESCE((SELECT left(e.kind || ':' || e.type, 50) FROM events e
              WHERE e.workspace_id = d.workspace_id AND e.delivery_id = d.id ORDER BY e.ordinal LIMIT 1), 'unread') AS webhook_type,
    COALESCE((SELECT jsonb_agg(e.payload ORDER BY e.ordinal) FROM events e
              WHERE e.workspace_id = d.workspace_id AND e.delivery_id = d.id), '[]') AS payload,
    CASE WHEN i.state = 'dead' OR EXISTS (SELECT FROM dead_letters l WHERE l.workspace_id = d.workspace_id
                AND l.delivery_id = d.id AND l.replayed_at IS NULL) THEN 'error'
         WHEN i.state = 'stored' OR EXISTS (SELECT FROM events e WHERE e.workspace_id = d.workspace_id
                AND e.delivery_id = d.id AND e.state IN ('pending', 'parked')) THEN 'received'
         ELSE 'processed' END AS status,
    (SELECT round(extract(epoch FROM max(greatest(i.normalised_at, e.settled_at)) - d.received_at) * 1000)::integer
       FROM (SELECT max(settled_at) AS settled_at FROM events
             WHERE workspace_id = d.workspace_id AND delivery_id = d.id) e) AS processing_time_ms,
    (SELECT l.reason || ': ' || l.detail FROM dead_letters l WHERE l.workspace_id = d.workspace_id
       AND l.delivery_id = d.id AND l.replayed_at IS NULL ORDER BY l.created_at, l.id LIMIT 1) AS error_message,
    (SELECT e.payload->>'providerMessageId' FROM events e WHERE e.workspace_id = d.workspace_id AND e.delivery_id = d.id
       AND e.payload ? 'providerMessageId' ORDER BY e.ordinal LIMIT 1) AS external_message_id,
    (SELECT e.payload->'customer'->0->>'value' FROM events e WHERE e.workspace_id = d.workspace_id AND e.delivery_id = d.id
       AND e.payload ? 'customer' ORDER BY e.ordinal LIMIT 1) AS customer_identifier,
    a.created_by AS user_id, d.received_at AS created_at
  FROM deliveries d
  JOIN inbox i ON i.workspace_id = d.workspace_id AND i.id = d.id
  LEFT JOIN accounts a ON a.workspace_id = d.workspace_id AND a.id = d.account_id`;

export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  for (const [name, columns] of tables) {
    await run(`CREATE TABLE ${name} (${columns})`);
    await run(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
    await run(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
    await run(`CREATE POLICY ${name}_of_workspace ON ${name} FOR ALL TO switchyard_app
      USING (workspace_id = ${currentWorkspace}) WITH CHECK (workspace_id = ${currentWorkspace})`);
    await run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO switchyard_app`);
  }
  for (const name of workerTables) {
    await run(`CREATE POLICY ${name}_of_worker ON ${name} FOR SELECT TO switchyard_worker USING (true)`);
    await run(`GRANT SELECT ON ${name} TO switchyard_worker`);
  }
  for (const index of indexes) await run(index);
  await run(webhookLogs);
  await run('GRANT SELECT ON webhook_logs TO switchyard_app, switchyard_worker');
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw('DROP VIEW IF EXISTS webhook_logs').execute(db);
  for (const [name] of [...tables].reverse()) await sql.raw(`DROP TABLE IF EXISTS ${name}`).execute(db);
}
