/**
 * Pairing, the companion's keys, leases and session state, and what the send gate of unofficial accounts counts.
 *
 * `session_states.id` is derived from account and name, so that a value is sealed for its row before the row is there.
 */
import { type Kysely, sql } from 'kysely';

const currentWorkspace = `NULLIF(current_setting('app.workspace', true), '')::uuid`;

const tables: readonly (readonly [name: string, columns: string])[] = [
  [
    // is_wanted: a person wants this session to run. generation grows with each request for a new code.
    'pairings',
    `workspace_id uuid NOT NULL,
     account_id uuid NOT NULL,
     is_wanted boolean NOT NULL DEFAULT false,
     generation integer NOT NULL DEFAULT 0,
     asked_at timestamptz,
     code text,
     image text,
     pairing_code text,
     codes_shown integer NOT NULL DEFAULT 0,
     shown_at timestamptz,
     expires_at timestamptz,
     PRIMARY KEY (workspace_id, account_id),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
  ],
  [
    'companion_keys',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     id uuid NOT NULL,
     name text NOT NULL,
     secret_sealed bytea NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     last_used_at timestamptz,
     revoked_at timestamptz,
     PRIMARY KEY (workspace_id, id)`,
  ],
  [
    // epoch is the fence: it grows with each new holder, and what an older holder writes is refused.
    'companion_leases',
    `workspace_id uuid NOT NULL,
     account_id uuid NOT NULL,
     holder text NOT NULL,
     epoch bigint NOT NULL,
     leased_until timestamptz NOT NULL,
     acquired_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, account_id),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
  ],
  [
    'session_states',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     account_id uuid NOT NULL,
     name text NOT NULL,
     value_sealed bytea NOT NULL,
     updated_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, id),
     UNIQUE (workspace_id, account_id, name),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
  ],
  [
    // taken: messages that the gate let pass on this day of the account's time zone.
    'send_days',
    `workspace_id uuid NOT NULL,
     account_id uuid NOT NULL,
     day date NOT NULL,
     taken integer NOT NULL,
     PRIMARY KEY (workspace_id, account_id, day),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
  ],
  [
    'number_checks',
    `workspace_id uuid NOT NULL,
     account_id uuid NOT NULL,
     phone text NOT NULL,
     is_on_whatsapp boolean NOT NULL,
     checked_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, account_id, phone),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
  ],
];

/** A companion names a key or an account; which workspace it is in has to be found before one can work in it. */
const workerTables: Readonly<Record<string, string>> = {
  companion_keys: 'SELECT, UPDATE',
  companion_leases: 'SELECT',
  pairings: 'SELECT',
};

export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  for (const [name, columns] of tables) {
    await run(`CREATE TABLE ${name} (${columns})`);
    await run(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
    await run(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
    await run(`CREATE POLICY ${name}_of_workspace ON ${name} FOR ALL TO switchyard_app
      USING (workspace_id = ${currentWorkspace}) WITH CHECK (workspace_id = ${currentWorkspace})`);
    await run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO switchyard_app`);
    const worker = workerTables[name];
    if (!worker) continue;
    await run(`CREATE POLICY ${name}_of_worker ON ${name} FOR ALL TO switchyard_worker USING (true) WITH CHECK (true)`);
    await run(`GRANT ${worker} ON ${name} TO switchyard_worker`);
  }
  await run('CREATE INDEX pairings_wanted ON pairings (workspace_id, account_id) WHERE is_wanted');
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const [name] of [...tables].reverse()) await sql.raw(`DROP TABLE IF EXISTS ${name} CASCADE`).execute(db);
}
