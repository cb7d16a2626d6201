/**
 * People: second factor, log-in in two steps, step-up, invitations; and an audit log whose entries hash their whole
 * content.
 *
 * What belongs to one person has row-level security too: `app.credential` must be that person's id, or the hash of what a
 * stranger shows. So a statement that forgot its person finds nothing.
 */
import { type Kysely, sql } from 'kysely';

const currentWorkspace = `NULLIF(current_setting('app.workspace', true), '')::uuid`;
const credential = `NULLIF(current_setting('app.credential', true), '')`;

const statements = [
  // When the person last showed a password or a code in this session.
  'ALTER TABLE person_sessions ADD COLUMN proved_at timestamptz NOT NULL DEFAULT now()',
  'UPDATE person_sessions SET proved_at = created_at',

  // last_step: the newest 30 seconds of which a code was taken; a code is taken once. confirmed_at null: being set up.
  `CREATE TABLE second_factors (
     person_id uuid PRIMARY KEY REFERENCES people,
     secret_sealed bytea NOT NULL,
     last_step bigint NOT NULL DEFAULT 0,
     created_at timestamptz NOT NULL DEFAULT now(),
     confirmed_at timestamptz)`,
  ...ofPerson('second_factors', `person_id::text = ${credential}`),
  'GRANT SELECT, UPDATE (secret_sealed) ON second_factors TO switchyard_worker',
  'CREATE POLICY second_factors_of_worker ON second_factors FOR ALL TO switchyard_worker USING (true) WITH CHECK (true)',

  `CREATE TABLE recovery_codes (
     person_id uuid NOT NULL REFERENCES people,
     code_hash text NOT NULL,
     used_at timestamptz,
     PRIMARY KEY (person_id, code_hash))`,
  ...ofPerson('recovery_codes', `person_id::text = ${credential}`),

  // Between the password and the code; the stranger shows a token.
  `CREATE TABLE log_in_steps (
     token_hash text PRIMARY KEY,
     person_id uuid NOT NULL REFERENCES people,
     created_at timestamptz NOT NULL DEFAULT now(),
     expires_at timestamptz NOT NULL)`,
  ...ofPerson('log_in_steps', `token_hash = ${credential}`),
  'GRANT SELECT, DELETE ON log_in_steps TO switchyard_worker',
  'CREATE POLICY log_in_steps_of_worker ON log_in_steps FOR ALL TO switchyard_worker USING (expires_at < now())',

  `CREATE TABLE invitations (
     workspace_id uuid NOT NULL REFERENCES workspaces,
     id uuid NOT NULL,
     email text NOT NULL CHECK (email = lower(email)),
     role text NOT NULL CHECK (role IN ('owner', 'admin', 'agent', 'viewer')),
     token_hash text NOT NULL UNIQUE,
     invited_by text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     expires_at timestamptz NOT NULL,
     accepted_at timestamptz,
     revoked_at timestamptz,
     PRIMARY KEY (workspace_id, id))`,
  'CREATE UNIQUE INDEX invitations_open ON invitations (workspace_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL',
  'ALTER TABLE invitations ENABLE ROW LEVEL SECURITY',
  'ALTER TABLE invitations FORCE ROW LEVEL SECURITY',
  `CREATE POLICY invitations_of_workspace ON invitations FOR ALL TO switchyard_app
     USING (workspace_id = ${currentWorkspace}) WITH CHECK (workspace_id = ${currentWorkspace})`,
  `CREATE POLICY invitations_by_credential ON invitations FOR SELECT TO switchyard_app USING (token_hash = ${credential})`,
  'GRANT SELECT, INSERT, UPDATE ON invitations TO switchyard_app',

  // 1: hashed before entries held their instant in the hash; 2: the canonical JSON of the whole entry.
  'ALTER TABLE audit_log ADD COLUMN format smallint NOT NULL DEFAULT 1',
  'CREATE INDEX audit_log_actor ON audit_log (workspace_id, actor, sequence)',
  'CREATE INDEX audit_log_resource ON audit_log (workspace_id, resource, sequence)',
];

/** Row-level security by what the one who asks has shown. */
function ofPerson(table: string, isTheirs: string): string[] {
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY ${table}_of_person ON ${table} FOR ALL TO switchyard_app USING (${isTheirs}) WITH CHECK (${isTheirs})`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO switchyard_app`,
  ];
}

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    'DROP INDEX audit_log_resource',
    'DROP INDEX audit_log_actor',
    'ALTER TABLE audit_log DROP COLUMN format',
    'DROP TABLE invitations',
    'DROP TABLE log_in_steps',
    'DROP TABLE recovery_codes',
    'DROP TABLE second_factors',
    'ALTER TABLE person_sessions DROP COLUMN proved_at',
  ])
    await sql.raw(statement).execute(db);
}
