/**
 * What was lost stays asked for, and stays said: looks at providers that are owed until they have been had, when each
 * workspace's books were last balanced, and of an open incident what it has been told of.
 */
import { type Kysely, sql } from 'kysely';

const currentWorkspace = `NULLIF(current_setting('app.workspace', true), '')::uuid`;

const tables: readonly (readonly [name: string, columns: string, workerMay: string])[] = [
  [
    // Of an account the span in which webhooks may have been lost; gone once a look has had all of it.
    'owed_looks',
    `workspace_id uuid NOT NULL,
     account_id uuid NOT NULL,
     wanted_from timestamptz NOT NULL,
     wanted_until timestamptz NOT NULL,
     owed_since timestamptz NOT NULL DEFAULT now(),
     due_at timestamptz NOT NULL DEFAULT now(),
     tries integer NOT NULL DEFAULT 0,
     detail text,
     PRIMARY KEY (workspace_id, account_id),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
    'SELECT, INSERT, UPDATE',
  ],
  [
    'ledger_balances',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     balanced_at timestamptz NOT NULL,
     PRIMARY KEY (workspace_id)`,
    'SELECT',
  ],
];

const occasions = ['opened', 'worsened', 'resolved', 'unwatched', 'test'] as const;
const occasionsBefore = ['opened', 'resolved', 'test'] as const;

const occasionCheck = (allowed: readonly string[]) =>
  `ALTER TABLE alarm_notices ADD CONSTRAINT alarm_notices_occasion_check
   CHECK (occasion IN (${allowed.map((occasion) => `'${occasion}'`).join(', ')}))`;

export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  for (const [name, columns, workerMay] of tables) {
    await run(`CREATE TABLE ${name} (${columns})`);
    await run(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
    await run(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
    await run(`CREATE POLICY ${name}_of_workspace ON ${name} FOR ALL TO switchyard_app
      USING (workspace_id = ${currentWorkspace}) WITH CHECK (workspace_id = ${currentWorkspace})`);
    await run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO switchyard_app`);
    await run(`CREATE POLICY ${name}_of_worker ON ${name} FOR ALL TO switchyard_worker USING (true) WITH CHECK (true)`);
    await run(`GRANT ${workerMay} ON ${name} TO switchyard_worker`);
  }
  await run('CREATE INDEX owed_looks_due ON owed_looks (due_at)');
  // What the incident consists of as far as it was seen, and when somebody was last told of each group of it.
  await run(`ALTER TABLE incidents ADD COLUMN seen jsonb NOT NULL DEFAULT '{}'`);
  // With resolved_at: it was not found mended; there is nothing left to look at.
  await run('ALTER TABLE incidents ADD COLUMN is_unwatched boolean NOT NULL DEFAULT false');
  await run('ALTER TABLE alarm_notices DROP CONSTRAINT alarm_notices_occasion_check');
  await run(occasionCheck(occasions));
}

export async function down(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  await run('ALTER TABLE alarm_notices DROP CONSTRAINT alarm_notices_occasion_check');
  // The owner sees no row of a table whose policies are forced on it.
  await run('ALTER TABLE alarm_notices NO FORCE ROW LEVEL SECURITY');
  await run(`UPDATE alarm_notices SET occasion = CASE occasion WHEN 'worsened' THEN 'opened' ELSE 'resolved' END
    WHERE occasion IN ('worsened', 'unwatched')`);
  await run('ALTER TABLE alarm_notices FORCE ROW LEVEL SECURITY');
  await run(occasionCheck(occasionsBefore));
  await run('ALTER TABLE incidents DROP COLUMN is_unwatched');
  await run('ALTER TABLE incidents DROP COLUMN seen');
  for (const [name] of [...tables].reverse()) await run(`DROP TABLE IF EXISTS ${name}`);
}
