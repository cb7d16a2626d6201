/**
 * The first schema.
 *
 * Every table with a workspace starts its primary key with it, and has row-level security ENABLEd and FORCEd with one
 * policy for `app` (the workspace of this transaction) and, where design section 4 says so, one for `worker` or
 * `gateway`. `app.workspace` is '' on a pooled connection after its first transaction, hence NULLIF.
 */
import { type Kysely, sql } from 'kysely';
import { dayPartitionedTables, eventKeyPartitions, inboxShards } from './tables.ts';

const currentWorkspace = `NULLIF(current_setting('app.workspace', true), '')::uuid`;
const credential = `NULLIF(current_setting('app.credential', true), '')`;

/** Tables in the order of their making; each with what makes it. */
const tables: readonly (readonly [name: string, columns: string])[] = [
  // ---- tenants -------------------------------------------------------------------------------------------------
  [
    'workspaces',
    `workspace_id uuid PRIMARY KEY,
     name text NOT NULL,
     slug text NOT NULL UNIQUE,
     kind text NOT NULL DEFAULT 'tenant' CHECK (kind IN ('tenant', 'operator')),
     settings jsonb NOT NULL DEFAULT '{}',
     created_at timestamptz NOT NULL DEFAULT now(),
     deleted_at timestamptz`,
  ],
  [
    'people',
    `id uuid PRIMARY KEY,
     email text NOT NULL UNIQUE CHECK (email = lower(email)),
     name text NOT NULL,
     password_hash text,
     is_operator boolean NOT NULL DEFAULT false,
     created_at timestamptz NOT NULL DEFAULT now(),
     deleted_at timestamptz`,
  ],
  [
    'members',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     person_id uuid NOT NULL REFERENCES people,
     role text NOT NULL CHECK (role IN ('owner', 'admin', 'agent', 'viewer')),
     created_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, person_id)`,
  ],
  [
    'person_sessions',
    `token_hash text PRIMARY KEY,
     id uuid NOT NULL UNIQUE,
     person_id uuid NOT NULL REFERENCES people,
     created_at timestamptz NOT NULL DEFAULT now(),
     last_seen_at timestamptz NOT NULL DEFAULT now(),
     expires_at timestamptz NOT NULL,
     revoked_at timestamptz,
     user_agent text,
     ip text`,
  ],
  [
    'api_keys',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     id uuid NOT NULL,
     name text NOT NULL,
     key_hash text NOT NULL UNIQUE,
     last_four text NOT NULL,
     scopes text[] NOT NULL,
     created_by uuid REFERENCES people,
     created_at timestamptz NOT NULL DEFAULT now(),
     last_used_at timestamptz,
     expires_at timestamptz,
     revoked_at timestamptz,
     PRIMARY KEY (workspace_id, id)`,
  ],
  [
    'audit_log',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     sequence bigint NOT NULL,
     at timestamptz NOT NULL DEFAULT now(),
     actor text NOT NULL,
     action text NOT NULL,
     resource text NOT NULL,
     fields jsonb NOT NULL DEFAULT '{}',
     previous_hash text NOT NULL,
     hash text NOT NULL,
     PRIMARY KEY (workspace_id, sequence)`,
  ],
  [
    'idempotency_keys',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     route text NOT NULL,
     key text NOT NULL,
     request_hash text NOT NULL,
     status integer,
     response jsonb,
     created_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, route, key)`,
  ],
  // ---- accounts ------------------------------------------------------------------------------------------------
  [
    'accounts',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     id uuid NOT NULL,
     channel text NOT NULL CHECK (channel IN ('whatsapp', 'instagram')),
     provider text NOT NULL CHECK (provider IN ('meta', 'instagram', 'twilio', 'evolution', 'webjs')),
     name text NOT NULL,
     phone_number text,
     connection_status text NOT NULL DEFAULT 'disconnected'
       CHECK (connection_status IN ('disconnected', 'connecting', 'connected', 'error')),
     connection_error text,
     webhook_status text NOT NULL DEFAULT 'inactive' CHECK (webhook_status IN ('inactive', 'active', 'error')),
     is_primary boolean NOT NULL DEFAULT false,
     is_active boolean NOT NULL DEFAULT false,
     settings jsonb NOT NULL DEFAULT '{}',
     secrets_sealed bytea,
     cutover text NOT NULL DEFAULT 'switchyard' CHECK (cutover IN ('legacy', 'shadow', 'split', 'switchyard')),
     cutover_share integer NOT NULL DEFAULT 100 CHECK (cutover_share BETWEEN 0 AND 100),
     metadata jsonb NOT NULL DEFAULT '{}',
     version integer NOT NULL DEFAULT 1,
     last_activity_at timestamptz,
     last_connected_at timestamptz,
     last_webhook_at timestamptz,
     created_by uuid REFERENCES people,
     created_at timestamptz NOT NULL DEFAULT now(),
     updated_at timestamptz NOT NULL DEFAULT now(),
     deleted_at timestamptz,
     PRIMARY KEY (workspace_id, id)`,
  ],
  [
    'webhook_tokens',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     account_id uuid NOT NULL,
     token_hash text NOT NULL,
     token_sealed bytea NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     retires_at timestamptz,
     last_used_at timestamptz,
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
  ],
  [
    // The one exception to "a workspace sees its own": globally unique, so that two tenants cannot claim one provider id.
    'routes',
    `kind text NOT NULL CHECK (kind IN ('token', 'phone_number_id', 'waba_id', 'instagram_id', 'twilio_address', 'instance', 'session', 'challenge')),
     key text NOT NULL,
     workspace_id uuid NOT NULL,
     account_id uuid NOT NULL,
     provider text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     retires_at timestamptz,
     PRIMARY KEY (kind, key),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts`,
  ],
  [
    'routing_counts',
    `workspace_id uuid NOT NULL,
     account_id uuid NOT NULL,
     hour timestamptz NOT NULL,
     route_kind text NOT NULL,
     outcome text NOT NULL CHECK (outcome IN ('hit', 'miss', 'negative')),
     count bigint NOT NULL,
     PRIMARY KEY (workspace_id, account_id, hour, route_kind, outcome)`,
  ],
  // ---- inbox ---------------------------------------------------------------------------------------------------
  [
    // What the gateway stores before it answers: one row for a batch of deliveries, whoever's they are, gone once they
    // are in `deliveries` and `inbox`. Two JSON lists, and the bytes they point into.
    'arrivals',
    `position bigint NOT NULL DEFAULT nextval('inbox_position'),
     part integer NOT NULL DEFAULT 0,
     delivery_count integer NOT NULL,
     origins text NOT NULL,
     deliveries text NOT NULL,
     bodies bytea NOT NULL,
     arrived_at timestamptz NOT NULL DEFAULT now(),
     refusal text,
     PRIMARY KEY (position, part)`,
  ],
  [
    // One HTTP request of a provider, never changed after its insert. account_id is null for an app-level shared route.
    'deliveries',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     account_id uuid,
     provider text NOT NULL,
     route_kind text NOT NULL,
     method text NOT NULL,
     target text NOT NULL,
     headers jsonb NOT NULL,
     body bytea NOT NULL,
     secrets_sealed bytea,
     is_authenticated boolean NOT NULL DEFAULT true,
     is_test boolean NOT NULL DEFAULT false,
     received_at timestamptz NOT NULL,
     PRIMARY KEY (workspace_id, id)`,
  ],
  [
    // What became of a delivery; the queue of normalising. Rows of one multi-row insert share a position.
    'inbox',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     account_id uuid,
     shard smallint NOT NULL,
     position bigint NOT NULL,
     after_position bigint NOT NULL,
     state text NOT NULL DEFAULT 'stored' CHECK (state IN ('stored', 'normalised', 'dead')),
     attempts integer NOT NULL DEFAULT 0,
     event_count integer,
     duplicate_count integer,
     dead_count integer,
     normalised_at timestamptz,
     PRIMARY KEY (workspace_id, id)`,
  ],
  [
    'inbox_shards',
    `shard smallint PRIMARY KEY,
     lease_epoch bigint NOT NULL DEFAULT 0,
     leased_until timestamptz NOT NULL DEFAULT '-infinity',
     leased_by text`,
  ],
  [
    'event_keys',
    `workspace_id uuid NOT NULL,
     account_id uuid NOT NULL,
     key_hash bytea NOT NULL,
     event_id uuid NOT NULL,
     seen_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, account_id, key_hash)`,
  ],
  // ---- conversations -------------------------------------------------------------------------------------------
  [
    'contacts',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     id uuid NOT NULL,
     name text,
     language text,
     metadata jsonb NOT NULL DEFAULT '{}',
     created_at timestamptz NOT NULL DEFAULT now(),
     updated_at timestamptz NOT NULL DEFAULT now(),
     deleted_at timestamptz,
     PRIMARY KEY (workspace_id, id)`,
  ],
  [
    // scope: '' where the identity is the same for all accounts (phone), else the account's id (LID, business-scoped id).
    'identities',
    `workspace_id uuid NOT NULL,
     kind text NOT NULL CHECK (kind IN ('phone', 'wa_id', 'bsuid', 'lid', 'instagram', 'username')),
     scope text NOT NULL DEFAULT '',
     value text NOT NULL,
     contact_id uuid NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, kind, scope, value),
     FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts`,
  ],
  [
    'consents',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     contact_id uuid NOT NULL,
     channel text NOT NULL,
     topic text NOT NULL,
     choice text NOT NULL CHECK (choice IN ('in', 'out')),
     source text NOT NULL,
     evidence text,
     at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts`,
  ],
  [
    // next_due_at: when this conversation's pending events want a turn; null when there are none.
    'conversations',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     account_id uuid NOT NULL,
     contact_id uuid NOT NULL,
     group_id text,
     address jsonb NOT NULL DEFAULT '[]',
     session jsonb NOT NULL DEFAULT '{}',
     handler text NOT NULL DEFAULT 'bot' CHECK (handler IN ('bot', 'person')),
     handler_until timestamptz,
     last_inbound_at timestamptz,
     free_entry_until timestamptz,
     last_message_at timestamptz,
     last_message_text text,
     unread_count integer NOT NULL DEFAULT 0,
     next_due_at timestamptz,
     lease_epoch bigint NOT NULL DEFAULT 0,
     leased_until timestamptz NOT NULL DEFAULT '-infinity',
     next_ordinal bigint NOT NULL DEFAULT 1,
     created_at timestamptz NOT NULL DEFAULT now(),
     closed_at timestamptz,
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, account_id) REFERENCES accounts,
     FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts`,
  ],
  [
    'events',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     delivery_id uuid NOT NULL,
     account_id uuid NOT NULL,
     conversation_id uuid,
     ordinal integer NOT NULL,
     kind text NOT NULL CHECK (kind IN ('message', 'status', 'account', 'unsupported')),
     type text NOT NULL,
     key text NOT NULL,
     payload jsonb NOT NULL,
     occurred_at timestamptz,
     received_at timestamptz NOT NULL,
     position bigint NOT NULL,
     after_position bigint NOT NULL,
     state text NOT NULL CHECK (state IN ('pending', 'parked', 'handled', 'ignored', 'dead')),
     reason text,
     wait_key text,
     attempts integer NOT NULL DEFAULT 0,
     turn_id uuid,
     is_test boolean NOT NULL DEFAULT false,
     created_at timestamptz NOT NULL DEFAULT now(),
     settled_at timestamptz,
     PRIMARY KEY (workspace_id, id)`,
  ],
  [
    'dead_letters',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     account_id uuid,
     delivery_id uuid,
     event_id uuid,
     outbound_id uuid,
     reason text NOT NULL,
     detail text NOT NULL,
     path text,
     created_at timestamptz NOT NULL DEFAULT now(),
     replayed_at timestamptz,
     PRIMARY KEY (workspace_id, id)`,
  ],
  [
    'messages',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     conversation_id uuid NOT NULL,
     account_id uuid NOT NULL,
     direction text NOT NULL CHECK (direction IN ('in', 'out')),
     author text NOT NULL CHECK (author IN ('customer', 'bot', 'person', 'device', 'campaign', 'reminder')),
     author_id uuid,
     type text NOT NULL,
     content jsonb NOT NULL,
     text text NOT NULL DEFAULT '',
     provider_message_id text,
     reply_to text,
     status text NOT NULL CHECK (status IN ('received', 'queued', 'sent', 'delivered', 'read', 'played', 'failed', 'uncertain', 'cancelled')),
     status_at timestamptz,
     error jsonb,
     reactions jsonb NOT NULL DEFAULT '{}',
     edited_at timestamptz,
     deleted_at timestamptz,
     is_history boolean NOT NULL DEFAULT false,
     is_test boolean NOT NULL DEFAULT false,
     event_id uuid,
     turn_id uuid,
     occurred_at timestamptz NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, conversation_id) REFERENCES conversations`,
  ],
  [
    'receipts',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     message_id uuid NOT NULL,
     event_id uuid,
     status text NOT NULL,
     was_applied boolean NOT NULL,
     error jsonb,
     pricing jsonb,
     occurred_at timestamptz,
     created_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, message_id) REFERENCES messages`,
  ],
  [
    'turns',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     conversation_id uuid NOT NULL,
     event_id uuid NOT NULL,
     outcome text NOT NULL,
     steps jsonb NOT NULL DEFAULT '[]',
     milliseconds real NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, id)`,
  ],
  // ---- outbox --------------------------------------------------------------------------------------------------
  [
    'outbox',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     account_id uuid NOT NULL,
     conversation_id uuid NOT NULL,
     message_id uuid NOT NULL,
     turn_id uuid,
     lane text NOT NULL DEFAULT 'reply' CHECK (lane IN ('reply', 'receipt', 'reminder', 'backlog', 'campaign')),
     ordinal bigint NOT NULL,
     content jsonb NOT NULL,
     reply_to text,
     repeat_rule text NOT NULL DEFAULT 'never-twice' CHECK (repeat_rule IN ('never-twice', 'rather-twice')),
     state text NOT NULL DEFAULT 'queued'
       CHECK (state IN ('queued', 'claimed', 'sending', 'sent', 'refused', 'uncertain', 'dead', 'cancelled', 'held')),
     due_at timestamptz NOT NULL DEFAULT now(),
     attempts integer NOT NULL DEFAULT 0,
     attempt_id uuid,
     lease_epoch bigint NOT NULL DEFAULT 0,
     leased_until timestamptz NOT NULL DEFAULT '-infinity',
     provider_message_id text,
     failure jsonb,
     is_possible_duplicate boolean NOT NULL DEFAULT false,
     created_at timestamptz NOT NULL DEFAULT now(),
     settled_at timestamptz,
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, conversation_id) REFERENCES conversations,
     FOREIGN KEY (workspace_id, message_id) REFERENCES messages`,
  ],
  [
    'attempts',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     outbound_id uuid NOT NULL,
     account_id uuid NOT NULL,
     number integer NOT NULL,
     started_at timestamptz NOT NULL DEFAULT now(),
     ended_at timestamptz,
     outcome text CHECK (outcome IN ('sent', 'refused', 'unreachable', 'uncertain')),
     provider_message_id text,
     failure jsonb,
     milliseconds real,
     PRIMARY KEY (workspace_id, id)`,
  ],
  // ---- commerce and flows --------------------------------------------------------------------------------------
  [
    'categories',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     id uuid NOT NULL,
     name text NOT NULL,
     sort_order integer NOT NULL DEFAULT 0,
     is_active boolean NOT NULL DEFAULT true,
     created_at timestamptz NOT NULL DEFAULT now(),
     deleted_at timestamptz,
     PRIMARY KEY (workspace_id, id)`,
  ],
  [
    'products',
    `workspace_id uuid NOT NULL,
     id uuid NOT NULL,
     category_id uuid NOT NULL,
     sku text,
     name text NOT NULL,
     description text NOT NULL DEFAULT '',
     price_minor bigint NOT NULL CHECK (price_minor >= 0),
     currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
     image_url text,
     stock integer CHECK (stock >= 0),
     sort_order integer NOT NULL DEFAULT 0,
     is_active boolean NOT NULL DEFAULT true,
     created_at timestamptz NOT NULL DEFAULT now(),
     deleted_at timestamptz,
     PRIMARY KEY (workspace_id, id),
     FOREIGN KEY (workspace_id, category_id) REFERENCES categories`,
  ],
  [
    'flows',
    `workspace_id uuid NOT NULL REFERENCES workspaces,
     id uuid NOT NULL,
     name text NOT NULL,
     version integer NOT NULL,
     definition jsonb NOT NULL,
     is_active boolean NOT NULL DEFAULT false,
     created_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (workspace_id, id)`,
  ],
];

/** Tables without a workspace: what the roles may do there instead of a policy by workspace. */
const globalTables = new Set(['people', 'person_sessions', 'arrivals', 'inbox_shards']);

const partitioned: Readonly<Record<string, string>> = {
  ...Object.fromEntries(dayPartitionedTables.map((name) => [name, 'PARTITION BY RANGE (id)'])),
  event_keys: 'PARTITION BY HASH (account_id)',
};

const indexes = [
  'CREATE UNIQUE INDEX accounts_primary ON accounts (workspace_id, channel) WHERE is_primary AND deleted_at IS NULL',
  'CREATE UNIQUE INDEX accounts_phone ON accounts (workspace_id, channel, phone_number) WHERE phone_number IS NOT NULL AND deleted_at IS NULL',
  'CREATE INDEX webhook_tokens_account ON webhook_tokens (workspace_id, account_id)',
  'CREATE INDEX routes_account ON routes (workspace_id, account_id)',
  'CREATE INDEX members_person ON members (person_id)',
  'CREATE INDEX person_sessions_person ON person_sessions (person_id)',
  `CREATE INDEX inbox_stored ON inbox (shard, position, id) WHERE state = 'stored'`,
  'CREATE INDEX identities_contact ON identities (workspace_id, contact_id)',
  'CREATE INDEX consents_contact ON consents (workspace_id, contact_id, at)',
  'CREATE UNIQUE INDEX conversations_open ON conversations (workspace_id, account_id, contact_id) WHERE group_id IS NULL AND closed_at IS NULL',
  'CREATE UNIQUE INDEX conversations_group ON conversations (workspace_id, account_id, group_id) WHERE group_id IS NOT NULL AND closed_at IS NULL',
  'CREATE INDEX conversations_due ON conversations (workspace_id, next_due_at) WHERE next_due_at IS NOT NULL',
  'CREATE INDEX conversations_recent ON conversations (workspace_id, last_message_at DESC NULLS LAST, id)',
  'CREATE INDEX conversations_contact ON conversations (workspace_id, contact_id)',
  'CREATE INDEX events_delivery ON events (workspace_id, delivery_id)',
  `CREATE INDEX events_pending ON events (workspace_id, conversation_id, position) WHERE state = 'pending' AND conversation_id IS NOT NULL`,
  `CREATE INDEX events_unlocked ON events (id) WHERE state = 'pending' AND conversation_id IS NULL`,
  `CREATE INDEX events_parked ON events (workspace_id, account_id, wait_key) WHERE state = 'parked'`,
  'CREATE INDEX dead_letters_recent ON dead_letters (workspace_id, created_at DESC)',
  'CREATE INDEX dead_letters_delivery ON dead_letters (workspace_id, delivery_id)',
  'CREATE UNIQUE INDEX messages_provider_id ON messages (workspace_id, account_id, provider_message_id) WHERE provider_message_id IS NOT NULL',
  'CREATE INDEX messages_conversation ON messages (workspace_id, conversation_id, created_at, id)',
  'CREATE INDEX receipts_message ON receipts (workspace_id, message_id)',
  'CREATE INDEX turns_event ON turns (workspace_id, event_id)',
  'CREATE UNIQUE INDEX outbox_order ON outbox (workspace_id, conversation_id, ordinal)',
  `CREATE INDEX outbox_due ON outbox (lane, workspace_id, account_id, due_at, id) WHERE state = 'queued'`,
  `CREATE INDEX outbox_leased ON outbox (leased_until) WHERE state IN ('claimed', 'sending', 'uncertain')`,
  `CREATE INDEX outbox_open ON outbox (workspace_id, conversation_id, ordinal) WHERE state IN ('queued', 'claimed', 'sending', 'uncertain')`,
  'CREATE INDEX outbox_message ON outbox (workspace_id, message_id)',
  'CREATE INDEX outbox_turn ON outbox (workspace_id, turn_id)',
  'CREATE INDEX attempts_outbound ON attempts (workspace_id, outbound_id)',
  'CREATE INDEX products_category ON products (workspace_id, category_id, sort_order)',
  'CREATE UNIQUE INDEX flows_active ON flows (workspace_id, name) WHERE is_active',
];

/** What the worker's role may see and settle across workspaces; its tenant work runs as `app`. */
const workerTables: Readonly<Record<string, string>> = {
  workspaces: 'SELECT',
  accounts: 'SELECT',
  deliveries: 'SELECT, INSERT',
  inbox: 'SELECT, INSERT, UPDATE',
  events: 'SELECT, UPDATE',
  event_keys: 'SELECT, DELETE',
  conversations: 'SELECT, UPDATE',
  outbox: 'SELECT, UPDATE',
  attempts: 'SELECT, INSERT, UPDATE',
  routing_counts: 'SELECT, INSERT, UPDATE',
  routes: 'SELECT',
  dead_letters: 'SELECT',
  idempotency_keys: 'SELECT, DELETE',
};

const gatewayTables = new Set(['routes']);

/** Policies beyond "this workspace only": a stranger is known by what they show, hashed. */
const strangerPolicies = [
  `CREATE POLICY api_keys_by_credential ON api_keys FOR SELECT TO switchyard_app USING (key_hash = ${credential})`,
  `CREATE POLICY members_by_person ON members FOR SELECT TO switchyard_app USING (person_id::text = ${credential})`,
  `CREATE POLICY workspaces_of_person ON workspaces FOR SELECT TO switchyard_app USING (EXISTS (
     SELECT 1 FROM members m WHERE m.workspace_id = workspaces.workspace_id AND m.person_id::text = ${credential}))`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  await run('CREATE SEQUENCE inbox_position');
  await run(
    'CREATE UNLOGGED TABLE counters (key text PRIMARY KEY, total bigint NOT NULL, ends_at timestamptz NOT NULL)',
  );
  for (const [name, columns] of tables) {
    await run(`CREATE TABLE ${name} (${columns}) ${partitioned[name] ?? ''}`);
    if (!globalTables.has(name)) await protect(run, name);
  }
  for (const name of dayPartitionedTables) await run(`CREATE TABLE ${name}_default PARTITION OF ${name} DEFAULT`);
  for (let part = 0; part < eventKeyPartitions; part += 1) {
    await run(
      `CREATE TABLE event_keys_${part} PARTITION OF event_keys FOR VALUES WITH (MODULUS ${eventKeyPartitions}, REMAINDER ${part})`,
    );
  }
  for (const index of indexes) await run(index);
  for (const policy of strangerPolicies) await run(policy);
  // Compressing what lies here for a moment would cost more than all the rest of its insert.
  for (const column of ['origins', 'deliveries', 'bodies']) {
    await run(`ALTER TABLE arrivals ALTER ${column} SET STORAGE EXTERNAL`);
  }
  // A queue: cleaned by how much passed through it, not by the share of what is left. Its end is never cut off, which
  // would lock it.
  await run(
    'ALTER TABLE arrivals SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, vacuum_truncate = off)',
  );
  await run(`INSERT INTO inbox_shards (shard) SELECT generate_series(0, ${inboxShards - 1})`);
  await run('GRANT USAGE, SELECT ON SEQUENCE inbox_position TO switchyard_gateway');
  await run(
    'GRANT SELECT, INSERT, UPDATE, DELETE ON counters TO switchyard_app, switchyard_worker, switchyard_gateway',
  );
  await run('GRANT SELECT, UPDATE ON inbox_shards TO switchyard_worker');
  await run('GRANT INSERT, SELECT (position) ON arrivals TO switchyard_gateway');
  await run('GRANT SELECT, INSERT, UPDATE, DELETE ON arrivals TO switchyard_worker');
  await run('GRANT SELECT, INSERT, UPDATE ON people TO switchyard_app');
  await run('GRANT SELECT, INSERT, UPDATE, DELETE ON person_sessions TO switchyard_app');
  await run('REVOKE UPDATE, DELETE ON audit_log, deliveries FROM switchyard_app');
  // The one column of a delivery that changes: rotation of the master key seals it anew.
  await run('GRANT UPDATE (secrets_sealed) ON deliveries TO switchyard_worker');
}

async function protect(run: (text: string) => Promise<unknown>, name: string): Promise<void> {
  await run(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
  await run(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
  await run(`CREATE POLICY ${name}_of_workspace ON ${name} FOR ALL TO switchyard_app
    USING (workspace_id = ${currentWorkspace}) WITH CHECK (workspace_id = ${currentWorkspace})`);
  await run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO switchyard_app`);
  const worker = workerTables[name];
  if (worker) {
    await run(`CREATE POLICY ${name}_of_worker ON ${name} FOR ALL TO switchyard_worker USING (true) WITH CHECK (true)`);
    await run(`GRANT ${worker} ON ${name} TO switchyard_worker`);
  }
  if (gatewayTables.has(name)) {
    await run(`CREATE POLICY ${name}_of_gateway ON ${name} FOR SELECT TO switchyard_gateway USING (true)`);
    await run(`GRANT SELECT ON ${name} TO switchyard_gateway`);
  }
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const [name] of [...tables].reverse()) await sql.raw(`DROP TABLE IF EXISTS ${name} CASCADE`).execute(db);
  await sql.raw('DROP TABLE IF EXISTS counters').execute(db);
  await sql.raw('DROP SEQUENCE IF EXISTS inbox_position').execute(db);
}
