/**
 * Accounts as teams run them: how their connection moved, when their secrets end, which webhook events are wanted and
 * which the provider sends, and the views for people who look with psql.
 *
 * The views are `security_invoker`: whoever asks sees what the policies of the tables below show them. No secret is in
 * them, and an account without webhooks counts 0.
 */
import { type Kysely, sql } from 'kysely';

const currentWorkspace = `NULLIF(current_setting('app.workspace', true), '')::uuid`;

const tables: readonly (readonly [name: string, columns: string])[] = [
  [
    // Each move of an account's connection, with who or what made it.
    'connection_changes',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     account_id uuid NOT NULL,
     previous text NOT NULL,
     next text NOT NULL,
     reason text,
     actor text NOT NULL,
     at timestamptz NOT NULL,
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
  ],
  [
    // When a secret of an account was last set, and when it ends; null: not known to end.
    'secret_dates',
    `workspace_id uuid NOT NULL,
     account_id uuid NOT NULL,
     name text NOT NULL,
     set_at timestamptz NOT NULL DEFAULT now(),
     ends_at timestamptz,
     PRIMARY KEY (workspace_id, account_id, name),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
  ],
];

const columns = [
  'connection_changed_at timestamptz',
  // By the provider's clock: an older report than this one is overtaken.
  'connection_reported_at timestamptz',
  'business_name text',
  'webhook_error text',
  // Empty: whatever the provider sends by default.
  `wanted_webhook_events text[] NOT NULL DEFAULT '{}'`,
  // As the provider told it when it was last asked; null: never asked.
  'subscribed_webhook_events text[]',
  'subscription_checked_at timestamptz',
];

const views = [
  // One row a delivery: what became of it, told by its events and dead letters alone.
  `CREATE VIEW webhook_outcomes WITH (security_invoker = true) AS
     SELECT d.workspace_id, d.account_id, d.id AS delivery_id, d.received_at, d.is_test,
            CASE WHEN EXISTS (SELECT FROM dead_letters l WHERE l.workspace_id = d.workspace_id AND l.delivery_id = d.id)
                 THEN 'error'
                 WHEN e.events > 0 AND e.waiting = 0 THEN 'processed'
                 ELSE 'received' END AS outcome,
            CASE WHEN e.waiting = 0 THEN extract(epoch FROM e.settled_at - d.received_at) * 1000 END AS milliseconds
       FROM deliveries d
       CROSS JOIN LATERAL (
         SELECT count(*) AS events, count(*) FILTER (WHERE e.state IN ('pending', 'parked')) AS waiting,
                max(e.settled_at) AS settled_at
           FROM events e WHERE e.workspace_id = d.workspace_id AND e.delivery_id = d.id) e
      WHERE d.account_id IS NOT NULL`,
  `CREATE VIEW active_webhook_accounts WITH (security_invoker = true) AS
     SELECT a.id, a.workspace_id AS user_id, o.email, a.workspace_id, w.name AS workspace, a.channel AS platform,
            a.provider, a.settings ->> 'phoneNumberId' AS phone_number_id, a.settings ->> 'instagramId' AS page_id,
            a.business_name, a.name AS display_name, a.phone_number, a.webhook_status, a.last_webhook_at,
            a.wanted_webhook_events AS webhook_events, a.created_at
       FROM accounts a
       JOIN workspaces w ON w.workspace_id = a.workspace_id
       LEFT JOIN LATERAL (
         SELECT p.email FROM members m JOIN people p ON p.id = m.person_id
          WHERE m.workspace_id = a.workspace_id AND m.role = 'owner' AND p.deleted_at IS NULL
          ORDER BY m.created_at, p.id LIMIT 1) o ON true
      WHERE a.is_active AND a.deleted_at IS NULL
      ORDER BY a.last_webhook_at DESC NULLS LAST`,
  `CREATE VIEW webhook_stats_by_workspace WITH (security_invoker = true) AS
     SELECT a.workspace_id, w.name AS workspace, o.email, a.channel AS platform, a.business_name,
            count(s.delivery_id) AS total_webhooks,
            count(s.delivery_id) FILTER (WHERE s.outcome = 'processed') AS processed_webhooks,
            count(s.delivery_id) FILTER (WHERE s.outcome = 'error') AS error_webhooks,
            avg(s.milliseconds) AS avg_processing_time_ms, max(s.received_at) AS last_webhook_at
       FROM accounts a
       JOIN workspaces w ON w.workspace_id = a.workspace_id
       LEFT JOIN LATERAL (
         SELECT p.email FROM members m JOIN people p ON p.id = m.person_id
          WHERE m.workspace_id = a.workspace_id AND m.role = 'owner' AND p.deleted_at IS NULL
          ORDER BY m.created_at, p.id LIMIT 1) o ON true
       LEFT JOIN webhook_outcomes s ON s.workspace_id = a.workspace_id AND s.account_id = a.id
      WHERE a.deleted_at IS NULL
      GROUP BY a.workspace_id, w.name, o.email, a.channel, a.business_name
      ORDER BY total_webhooks DESC`,
  // The older name, with the columns that teams' own queries read.
  `CREATE VIEW webhook_stats_by_user WITH (security_invoker = true) AS
     SELECT workspace_id AS user_id, email, platform, business_name, total_webhooks, processed_webhooks, error_webhooks,
            avg_processing_time_ms, last_webhook_at
       FROM webhook_stats_by_workspace`,
];
const viewNames = [
  'webhook_outcomes',
  'active_webhook_accounts',
  'webhook_stats_by_workspace',
  'webhook_stats_by_user',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  await run(`ALTER TABLE accounts ${columns.map((column) => `ADD COLUMN ${column}`).join(', ')}`);
  for (const [name, body] of tables) {
    await run(`CREATE TABLE ${name} (${body})`);
    await run(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
    await run(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
    await run(`CREATE POLICY ${name}_of_workspace ON ${name} FOR ALL TO switchyard_app
      USING (workspace_id = ${currentWorkspace}) WITH CHECK (workspace_id = ${currentWorkspace})`);
    await run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO switchyard_app`);
  }
  await run('CREATE INDEX connection_changes_account ON connection_changes (workspace_id, account_id, at)');
  for (const view of views) await run(view);
  await run(`GRANT SELECT ON ${viewNames.join(', ')} TO switchyard_app`);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  for (const view of [...viewNames].reverse()) await run(`DROP VIEW ${view}`);
  for (const [name] of [...tables].reverse()) await run(`DROP TABLE ${name}`);
  const names = columns.map((column) => column.split(' ')[0]);
  await run(`ALTER TABLE accounts ${names.map((name) => `DROP COLUMN ${name}`).join(', ')}`);
}
