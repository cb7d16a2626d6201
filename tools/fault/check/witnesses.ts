/**
 * Lays the other two witnesses beside the database's own tables, as temporary tables of one session, so that each
 * invariant is one statement: `acked` (the generator's log), `took` (sends in the provider's ledger), `told` (receipts
 * that were answered 200), `digests` (what lies in the inbox, hashed).
 */
import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import type { Acked } from '../load/order.ts';
import type { Shop } from '../stage/shops.ts';
import type { ProviderLedger } from '../stage/stand-in.ts';

const batchSize = 5_000;

export async function readAcked(file: string): Promise<Acked[]> {
  const text = await readFile(file, 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Acked);
}

/** Beside the database. */
export interface Witnesses {
  readonly acked: readonly Acked[];
  readonly provider: ProviderLedger;
  readonly shops: readonly Pick<Shop, 'workspaceId' | 'accountId' | 'number'>[];
}

export async function layOut(client: pg.Client, { acked, provider, shops }: Witnesses): Promise<void> {
  await client.query(`CREATE TEMP TABLE acked (id text, kind text, workspace_id uuid, account_id uuid, sender text,
      n integer, sha bytea, first_at timestamptz, acked_at timestamptz);
    CREATE TEMP TABLE took (seq bigint, account_id uuid, customer text, provider_message_id text, attempt text, text text);
    CREATE TEMP TABLE told (provider_message_id text, rank integer)`);
  const accountOf = new Map(shops.map((shop) => [shop.number, shop.accountId]));
  const ackedRows = acked.map((one) => ({
    ...one,
    workspace_id: shops[one.target]!.workspaceId,
    account_id: shops[one.target]!.accountId,
  }));
  await insert(
    client,
    ackedRows,
    `INSERT INTO acked SELECT id, kind, workspace_id, account_id, "from", n, decode(sha, 'hex'),
       to_timestamp("firstMs" / 1000.0), to_timestamp("ackedMs" / 1000.0)
     FROM json_to_recordset($1) AS a (id text, kind text, workspace_id uuid, account_id uuid, "from" text, n integer,
       sha text, "firstMs" bigint, "ackedMs" bigint)`,
  );
  await insert(
    client,
    provider.sends.map((send) => ({ ...send, account_id: accountOf.get(send.number) ?? null })),
    `INSERT INTO took SELECT seq, account_id, regexp_replace(customer, '\\D', '', 'g'), "messageId", correlation, text
     FROM json_to_recordset($1) AS t (seq bigint, account_id uuid, customer text, "messageId" text, correlation text, text text)`,
  );
  await insert(
    client,
    [...provider.receipts].map(([id, rank]) => ({ id, rank })),
    `INSERT INTO told SELECT id, rank FROM json_to_recordset($1) AS r (id text, rank integer)`,
  );
  await client.query(`CREATE TEMP TABLE digests AS SELECT workspace_id, id, sha256(body) AS sha FROM deliveries;
    CREATE TEMP TABLE heard AS
      SELECT a.*, e.workspace_id AS event_workspace_id, e.id AS event_id, e.conversation_id, e.state, e.turn_id, e.settled_at
      FROM acked a JOIN events e ON e.account_id = a.account_id AND e.kind = 'message' AND e.key = a.id;
    CREATE INDEX ON digests (sha); CREATE INDEX ON heard (event_id); CREATE INDEX ON heard (id, account_id);
    CREATE INDEX ON took (attempt); CREATE INDEX ON took (provider_message_id); CREATE INDEX ON told (provider_message_id);
    ANALYZE acked; ANALYZE took; ANALYZE told; ANALYZE digests; ANALYZE heard`);
}

async function insert(client: pg.Client, rows: readonly object[], text: string): Promise<void> {
  for (let start = 0; start < rows.length; start += batchSize) {
    await client.query(text, [JSON.stringify(rows.slice(start, start + batchSize))]);
  }
}
