/** SQL of the first half of the drain: stored deliveries, events, their keys, dead letters. */
import type {
  AccountId,
  ConversationId,
  DeliveryId,
  EventId,
  InboundEvent,
  Provider,
  TurnId,
  WorkspaceId,
} from '@switchyard/contract';
import { storableJson } from '#conversations';
import type { Statement, Storage, WorkspaceTx } from '#storage';

/** A delivery as it lies in the database. */
export interface StoredDelivery {
  readonly workspaceId: WorkspaceId;
  readonly deliveryId: DeliveryId;
  readonly accountId: AccountId | null;
  readonly provider: Provider;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly isTest: boolean;
  readonly receivedAt: Date;
  readonly position: string;
  readonly afterPosition: string;
  /** Processes in a row that died while they tried it alone. */
  readonly attempts: number;
  /** Batches that left it to the next one. */
  readonly leftOver: number;
}

/**
 * The oldest of the shards that this worker holds, together: the first of each, then the second of each, and so on until
 * there are `limit` or their bodies hold `maxBytes`. Many in one shard, or large ones, do not keep the others waiting. Wherever
 * it is cut, what is read of each shard is its own beginning, so its order is kept. Gives `StoredRow`s in that order.
 */
export function readStatement(worker: string, limit: number, maxBytes: number): Statement {
  return {
    text: `WITH head AS MATERIALIZED (
       SELECT first.*, s.shard FROM inbox_shards s, LATERAL (
         SELECT workspace_id, id, position, after_position, attempts, left_over,
           row_number() OVER (ORDER BY position, id) AS nth
         FROM inbox WHERE shard = s.shard AND state = 'stored' ORDER BY position, id LIMIT $2) AS first
       WHERE s.leased_by = $1 AND s.leased_until > clock_timestamp()
       ORDER BY first.nth, first.position, first.id LIMIT $2),
     bodies AS (
       SELECT d.workspace_id AS "workspaceId", d.id AS "deliveryId", d.account_id AS "accountId", d.provider, d.target,
              d.headers, d.body, d.is_test AS "isTest", d.received_at AS "receivedAt",
              h.shard, h.position, h.after_position AS "afterPosition", h.attempts, h.left_over AS "leftOver", h.nth,
              sum(octet_length(d.body)) OVER (ORDER BY h.nth, h.position, h.id) - octet_length(d.body) AS bytes_before
       FROM head h JOIN deliveries d ON d.workspace_id = h.workspace_id AND d.id = h.id)
     SELECT * FROM bodies WHERE bytes_before < $3 ORDER BY nth, position, "deliveryId"`,
    values: [worker, limit, maxBytes],
    name: 'inbox-read-stored',
  };
}

export type StoredRow = StoredDelivery & { readonly shard: number };

/** Counts a try before it is made, so that a delivery which ends the process is not tried for ever. */
export async function countCarefulTry(storage: Storage, delivery: StoredDelivery): Promise<number> {
  const rows = await storage.workerStatement<{ attempts: number }>(
    'UPDATE inbox SET attempts = attempts + 1 WHERE workspace_id = $1 AND id = $2 RETURNING attempts',
    [delivery.workspaceId, delivery.deliveryId],
    'inbox-count-attempt',
  );
  return rows[0]?.attempts ?? 0;
}

/**
 * A try that failed was outlived by its process, which ends the row of those that were not. Gives how often it was left. The
 * row is asked for only where that changes something: somebody else may have it locked for long.
 */
export async function countLeftOver(storage: Storage, delivery: StoredDelivery, by: 0 | 1): Promise<number> {
  const rows = await storage.workerStatement<{ leftOver: number }>(
    `UPDATE inbox SET attempts = 0, left_over = left_over + $3
     WHERE workspace_id = $1 AND id = $2 AND (attempts > 0 OR $3 > 0) RETURNING left_over AS "leftOver"`,
    [delivery.workspaceId, delivery.deliveryId, by],
    'inbox-count-left-over',
  );
  return rows[0]?.leftOver ?? delivery.leftOver;
}

export interface KeyedEvent {
  readonly eventId: EventId;
  readonly accountId: AccountId;
  readonly keyHash: Buffer;
}

/**
 * Claims the keys; gives the ids of those events that are new. The unique key is what makes an event take effect once.
 * Its transaction is ended by Postgres when it is left alone for `leaseMs`: a worker that was stopped in the middle must
 * not hold up whoever takes its place.
 */
export async function claimKeys(
  tx: WorkspaceTx,
  events: readonly KeyedEvent[],
  leaseMs: number,
): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ event_id: string }>(
    `INSERT INTO event_keys (workspace_id, account_id, key_hash, event_id)
     SELECT $1, k.account_id, decode(k.key_hash, 'hex'), k.event_id
     FROM (SELECT set_config('idle_in_transaction_session_timeout', $3, true) AS set OFFSET 0) AS guard,
       json_to_recordset($2) AS k (account_id uuid, key_hash text, event_id uuid)
     WHERE guard.set IS NOT NULL
     ORDER BY k.account_id, k.key_hash
     ON CONFLICT DO NOTHING RETURNING event_id`,
    [tx.workspaceId, keysAsJson(events), String(leaseMs)],
    'inbox-claim-keys',
  );
  return new Set(rows.map((row) => row.event_id));
}

/** Of keys that were claimed before: the delivery that each took effect by; absent where that is forgotten. */
export async function findClaimants(
  tx: WorkspaceTx,
  events: readonly KeyedEvent[],
): Promise<ReadonlyMap<string, DeliveryId>> {
  const rows = await tx.query<{ event_id: EventId; delivery_id: DeliveryId }>(
    `SELECT k.event_id, e.delivery_id
     FROM json_to_recordset($2) AS k (account_id uuid, key_hash text, event_id uuid)
     JOIN event_keys held ON held.workspace_id = $1 AND held.account_id = k.account_id
       AND held.key_hash = decode(k.key_hash, 'hex')
     JOIN events e ON e.workspace_id = $1 AND e.id = held.event_id`,
    [tx.workspaceId, keysAsJson(events)],
    'inbox-find-claimants',
  );
  return new Map(rows.map((row) => [row.event_id, row.delivery_id]));
}

function keysAsJson(events: readonly KeyedEvent[]): string {
  return JSON.stringify(
    events.map((event) => ({
      account_id: event.accountId,
      key_hash: event.keyHash.toString('hex'),
      event_id: event.eventId,
    })),
  );
}

export interface NewEventRow {
  readonly eventId: EventId;
  readonly deliveryId: DeliveryId;
  readonly accountId: AccountId;
  readonly conversationId: ConversationId | null;
  readonly ordinal: number;
  readonly event: InboundEvent;
  readonly receivedAt: Date;
  readonly position: string;
  readonly afterPosition: string;
  readonly state: 'pending' | 'parked' | 'handled' | 'ignored';
  readonly reason: string | null;
  readonly waitKey: string | null;
  readonly turnId: TurnId | null;
  readonly isTest: boolean;
}

export interface SettledDelivery {
  readonly deliveryId: DeliveryId;
  readonly state: 'normalised' | 'dead';
  readonly events: number;
  readonly duplicates: number;
  readonly dead: number;
}

/** What a transaction of the normaliser ends with. */
export interface Outcome {
  readonly events: readonly NewEventRow[];
  readonly due: readonly ConversationId[];
  readonly settled: readonly SettledDelivery[];
}

/** Nobody looks for more, and an index takes no text of any length. */
const longestSearchedId = 300;

/**
 * The events, the conversations that they make due and the deliveries that are through, in one statement. Gives the
 * deliveries that were still open: a worker that woke up too late settles nothing. Of conversations see `markDue`.
 */
export async function writeOutcome(tx: WorkspaceTx, outcome: Outcome): Promise<ReadonlySet<DeliveryId>> {
  const rows = await tx.query<{ id: DeliveryId }>(
    `WITH fresh AS (
       INSERT INTO events (workspace_id, id, delivery_id, account_id, conversation_id, ordinal, kind, type, key, payload,
         occurred_at, received_at, position, after_position, state, reason, wait_key, turn_id, is_test, settled_at,
         provider_message_id)
       SELECT $1, e.id, e.delivery_id, e.account_id, e.conversation_id, e.ordinal, e.payload->>'kind',
         e.payload->>'type', e.payload->>'key', e.payload, (e.payload->>'occurredAt')::timestamptz, e.received_at,
         e.position, e.after_position, e.state, e.reason, e.wait_key, e.turn_id, e.is_test,
         CASE WHEN e.state IN ('handled', 'ignored') THEN clock_timestamp() END,
         CASE WHEN e.state IN ('pending', 'parked') AND length(e.payload->>'providerMessageId') <= ${longestSearchedId}
           THEN e.payload->>'providerMessageId' END
       FROM json_to_recordset($2) AS e (id uuid, delivery_id uuid, account_id uuid, conversation_id uuid,
         ordinal integer, payload jsonb, received_at timestamptz, position bigint, after_position bigint, state text,
         reason text, wait_key text, turn_id uuid, is_test boolean)),
     ${dueParts('$3')}
     UPDATE inbox i SET state = s.state, event_count = s.events, duplicate_count = s.duplicates, dead_count = s.dead,
       normalised_at = clock_timestamp()
     FROM json_to_recordset($4) AS s ("deliveryId" uuid, state text, events integer, duplicates integer, dead integer)
     WHERE i.workspace_id = $1 AND i.id = s."deliveryId" AND i.state = 'stored' RETURNING i.id`,
    [tx.workspaceId, storableJson(outcome.events.map(toColumns)), outcome.due, JSON.stringify(outcome.settled)],
    'inbox-write-outcome',
  );
  return new Set(rows.map((row) => row.id));
}

function toColumns(row: NewEventRow): object {
  return {
    id: row.eventId,
    delivery_id: row.deliveryId,
    account_id: row.accountId,
    conversation_id: row.conversationId,
    ordinal: row.ordinal,
    payload: row.event,
    received_at: row.receivedAt,
    position: row.position,
    after_position: row.afterPosition,
    state: row.state,
    reason: row.reason,
    wait_key: row.waitKey,
    turn_id: row.turnId,
    is_test: row.isTest,
  };
}

/**
 * Waits for a turn that is under way, so that its end and this do not pass each other. A conversation that rests after a
 * failure keeps resting: what is new comes after what failed.
 */
export async function markDue(tx: WorkspaceTx, conversationIds: readonly ConversationId[]): Promise<void> {
  if (conversationIds.length === 0) return;
  await tx.query(`WITH ${dueParts('$2')} SELECT 1`, [tx.workspaceId, conversationIds], 'inbox-mark-due');
}

/** In the order of their ids, so that two of them cannot wait for each other. */
function dueParts(ids: string): string {
  return `locked AS MATERIALIZED (
       SELECT id FROM conversations WHERE workspace_id = $1 AND id = ANY(${ids}::uuid[]) ORDER BY id FOR NO KEY UPDATE),
     due AS (
       UPDATE conversations c SET next_due_at = COALESCE(c.next_due_at, now()) FROM locked
       WHERE c.workspace_id = $1 AND c.id = locked.id)`;
}

export interface NewDeadLetter {
  readonly id: string;
  readonly accountId: AccountId | null;
  readonly deliveryId: DeliveryId | null;
  readonly eventId: EventId | null;
  readonly reason: string;
  readonly detail: string;
  readonly path: string | null;
}

/** A delivery may have thousands: so many at most in one statement, that none of them runs into its time-out. */
const lettersPerStatement = 1_000;

export async function insertDeadLetters(tx: WorkspaceTx, rows: readonly NewDeadLetter[]): Promise<void> {
  for (let from = 0; from < rows.length; from += lettersPerStatement) {
    await insertSomeDeadLetters(tx, rows.slice(from, from + lettersPerStatement));
  }
}

async function insertSomeDeadLetters(tx: WorkspaceTx, rows: readonly NewDeadLetter[]): Promise<void> {
  await tx.query(
    `INSERT INTO dead_letters (workspace_id, id, account_id, delivery_id, event_id, reason, detail, path)
     SELECT $1, d.id, d.account_id, d.delivery_id, d.event_id, d.reason, d.detail, d.path
     FROM json_to_recordset($2) AS d (id uuid, account_id uuid, delivery_id uuid, event_id uuid, reason text, detail text, path text)`,
    [
      tx.workspaceId,
      storableJson(
        rows.map((row) => ({
          id: row.id,
          account_id: row.accountId,
          delivery_id: row.deliveryId,
          event_id: row.eventId,
          reason: row.reason,
          detail: row.detail,
          path: row.path,
        })),
      ),
    ],
    'inbox-insert-dead-letters',
  );
}
