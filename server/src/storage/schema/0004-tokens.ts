/**
 * Rotation that can be undone, who still calls an account's old URL, and what was set at the provider before we set our
 * webhook there: that holds a URL and headers, which may be secrets, so it lies sealed.
 */
import { type Kysely, sql } from 'kysely';

const currentWorkspace = `NULLIF(current_setting('app.workspace', true), '')::uuid`;

const ups = [
  // When a rotation put another token in this one's place; null for the one that is in use.
  'ALTER TABLE webhook_tokens ADD COLUMN replaced_at timestamptz',
  // The last call that named the account by instance or provider id instead of a token.
  'ALTER TABLE accounts ADD COLUMN old_url_hit_at timestamptz',
  `CREATE TABLE provider_webhooks (
     workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     account_id uuid NOT NULL,
     state text NOT NULL CHECK (state IN ('setting', 'set', 'undoing', 'undone')),
     facts_sealed bytea NOT NULL,
     actor text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     settled_at timestamptz,
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts)`,
  'CREATE INDEX provider_webhooks_account ON provider_webhooks (workspace_id, account_id, id)',
  'ALTER TABLE provider_webhooks ENABLE ROW LEVEL SECURITY',
  'ALTER TABLE provider_webhooks FORCE ROW LEVEL SECURITY',
  `CREATE POLICY provider_webhooks_of_workspace ON provider_webhooks FOR ALL TO switchyard_app
     USING (workspace_id = ${currentWorkspace}) WITH CHECK (workspace_id = ${currentWorkspace})`,
  'GRANT SELECT, INSERT, UPDATE, DELETE ON provider_webhooks TO switchyard_app',
] as const;

const downs = [
  'DROP TABLE provider_webhooks',
  'ALTER TABLE accounts DROP COLUMN old_url_hit_at',
  'ALTER TABLE webhook_tokens DROP COLUMN replaced_at',
] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of ups) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of downs) await sql.raw(statement).execute(db);
}
