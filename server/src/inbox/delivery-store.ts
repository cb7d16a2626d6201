/** Deliveries as people look at them: the list, and one with every hop of its trace. */
import type { AccountId, DeliveryId, MessageId, Provider } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';

export interface DeliveryRow {
  readonly id: DeliveryId;
  readonly accountId: AccountId | null;
  readonly accountName: string | null;
  readonly provider: Provider;
  readonly routeKind: string;
  readonly method: string;
  readonly receivedAt: Date;
  readonly sizeBytes: number;
  readonly isAuthenticated: boolean;
  readonly isTest: boolean;
  /** stored: not yet read; normalised: its events are below; dead: nothing of it could be handled. */
  readonly state: 'stored' | 'normalised' | 'dead';
  readonly normalisedAt: Date | null;
  readonly eventCount: number | null;
  readonly duplicateCount: number | null;
  readonly deadCount: number | null;
  /** One line about what was in it. */
  readonly summary: string | null;
  readonly sender: string | null;
  readonly error: string | null;
  /** received: not all of it has ended; processed: all has; error: a part of it is dead. */
  readonly status: 'received' | 'processed' | 'error';
  /** When the last of it ended; null while that is not. */
  readonly processedAt: Date | null;
  /** The provider's id of its first message. */
  readonly messageId: string | null;
}

/** Of the rows of `page` (deliveries with their inbox rows) what is shown; looked up for the page's rows only. */
const columns = `p.id, p.account_id AS "accountId", a.name AS "accountName", p.provider, p.route_kind AS "routeKind", p.method,
  p.received_at AS "receivedAt", octet_length(p.body) AS "sizeBytes", p.is_authenticated AS "isAuthenticated",
  p.is_test AS "isTest", p.state, p.normalised_at AS "normalisedAt", p.event_count AS "eventCount",
  p.duplicate_count AS "duplicateCount", p.dead_count AS "deadCount",
  (SELECT string_agg(e.name || CASE WHEN e.count > 1 THEN ' ×' || e.count ELSE '' END, ', ' ORDER BY e.first)
   FROM (SELECT kind || ':' || type AS name, count(*) AS count, min(ordinal) AS first FROM events
         WHERE workspace_id = p.workspace_id AND delivery_id = p.id GROUP BY kind, type) AS e) AS summary,
  (SELECT e.payload->'customer'->0->>'value' FROM events e
   WHERE e.workspace_id = p.workspace_id AND e.delivery_id = p.id AND e.payload ? 'customer' ORDER BY e.ordinal LIMIT 1) AS sender,
  (SELECT l.reason || ': ' || l.detail FROM dead_letters l
   WHERE l.workspace_id = p.workspace_id AND l.delivery_id = p.id AND l.replayed_at IS NULL
   ORDER BY l.created_at, l.id LIMIT 1) AS error,
  CASE WHEN p.state = 'dead' OR EXISTS (SELECT FROM dead_letters l WHERE l.workspace_id = p.workspace_id
         AND l.delivery_id = p.id AND l.replayed_at IS NULL) THEN 'error'
       WHEN p.state = 'stored' OR ended.open > 0 THEN 'received' ELSE 'processed' END AS status,
  CASE WHEN p.state <> 'stored' AND ended.open = 0 THEN GREATEST(p.normalised_at, ended.at) END AS "processedAt",
  ended.message_id AS "messageId"`;

const pageColumns = 'd.*, i.state, i.normalised_at, i.event_count, i.duplicate_count, i.dead_count';

const accountOfPage = `LEFT JOIN accounts a ON a.workspace_id = p.workspace_id AND a.id = p.account_id
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE e.state IN ('pending', 'parked')) AS open, max(e.settled_at) AS at,
      (array_agg(e.payload->>'providerMessageId' ORDER BY e.ordinal) FILTER (WHERE e.payload ? 'providerMessageId'))[1] AS message_id
    FROM events e WHERE e.workspace_id = p.workspace_id AND e.delivery_id = p.id) AS ended`;

export interface DeliveryFilter {
  readonly accountId?: AccountId | undefined;
  readonly state?: 'stored' | 'normalised' | 'dead' | undefined;
  /** Deliveries before this one (newest first). */
  readonly before?: DeliveryId | undefined;
  readonly limit: number;
}

/** Newest first. By `state` the narrow inbox rows are searched, else the deliveries in the order of their ids. */
export async function listDeliveries(tx: WorkspaceTx, filter: DeliveryFilter): Promise<DeliveryRow[]> {
  return tx.query<DeliveryRow & Record<string, unknown>>(
    `WITH page AS MATERIALIZED (
       SELECT ${pageColumns} FROM inbox i
       JOIN deliveries d ON d.workspace_id = i.workspace_id AND d.id = i.id
       WHERE i.workspace_id = $1 AND ($2::uuid IS NULL OR i.account_id = $2) AND ($3::text IS NULL OR i.state = $3)
         AND ($4::uuid IS NULL OR i.id < $4) AND NOT is_being_erased(i.workspace_id, i.id, i.duplicate_count)
       ORDER BY i.id DESC LIMIT $5)
     SELECT ${columns} FROM page p ${accountOfPage} ORDER BY p.id DESC`,
    [tx.workspaceId, filter.accountId ?? null, filter.state ?? null, filter.before ?? null, filter.limit],
  );
}

export interface DeliveryTrace extends DeliveryRow {
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly events: readonly TracedEvent[];
  readonly deadLetters: readonly {
    readonly reason: string;
    readonly detail: string;
    readonly path: string | null;
    readonly createdAt: Date;
    readonly replayedAt: Date | null;
  }[];
}

export interface TracedEvent {
  readonly id: string;
  readonly kind: string;
  readonly type: string;
  readonly key: string;
  readonly state: string;
  readonly reason: string | null;
  readonly occurredAt: Date | null;
  readonly createdAt: Date;
  readonly settledAt: Date | null;
  readonly conversationId: string | null;
  readonly payload: unknown;
  readonly turn: TracedTurn | null;
  readonly outbound: readonly TracedOutbound[];
}

export interface TracedTurn {
  readonly id: string;
  readonly outcome: string;
  readonly steps: unknown;
  readonly milliseconds: number;
  readonly createdAt: string;
}

export interface TracedOutbound {
  readonly id: string;
  readonly messageId: string;
  readonly state: string;
  readonly content: unknown;
  readonly createdAt: string;
  readonly settledAt: string | null;
  readonly providerMessageId: string | null;
  readonly failure: unknown;
  readonly attempts: readonly unknown[];
  readonly receipts: readonly unknown[];
}

/** Its parts are read before it: what they came to is never seen without what the delivery came to. */
export async function traceDelivery(tx: WorkspaceTx, id: DeliveryId): Promise<DeliveryTrace | null> {
  const [events, deadLetters, row] = await Promise.all([
    traceEvents(tx, id),
    traceDeadLetters(tx, id),
    findTraced(tx, id),
  ]);
  return row ? { ...row, events, deadLetters } : null;
}

async function findTraced(tx: WorkspaceTx, id: DeliveryId) {
  const [row] = await tx.query<Omit<DeliveryTrace, 'events' | 'deadLetters'> & Record<string, unknown>>(
    `WITH page AS MATERIALIZED (
       SELECT ${pageColumns} FROM deliveries d JOIN inbox i ON i.workspace_id = d.workspace_id AND i.id = d.id
       WHERE d.workspace_id = $1 AND d.id = $2 AND NOT is_being_erased(i.workspace_id, i.id, i.duplicate_count))
     SELECT ${columns}, p.target, p.headers, p.body FROM page p ${accountOfPage}`,
    [tx.workspaceId, id],
  );
  return row;
}

/** A row `o` of the outbox with its tries and receipts. */
const outboundOfO = `json_build_object('id', o.id, 'messageId', o.message_id, 'state', o.state,
          'content', o.content, 'createdAt', o.created_at, 'settledAt', o.settled_at,
          'providerMessageId', o.provider_message_id, 'failure', o.failure,
          'attempts', COALESCE((SELECT json_agg(json_build_object('id', p.id, 'number', p.number, 'startedAt', p.started_at,
             'endedAt', p.ended_at, 'outcome', p.outcome, 'milliseconds', p.milliseconds, 'failure', p.failure) ORDER BY p.number)
             FROM attempts p WHERE p.workspace_id = o.workspace_id AND p.outbound_id = o.id), '[]'),
          'receipts', COALESCE((SELECT json_agg(json_build_object('status', r.status, 'occurredAt', r.occurred_at,
             'createdAt', r.created_at, 'wasApplied', r.was_applied, 'error', r.error) ORDER BY r.created_at)
             FROM receipts r WHERE r.workspace_id = o.workspace_id AND r.message_id = o.message_id), '[]'))`;

/** What a message of ours came to, for one that no delivery began. */
export async function traceOutbound(tx: WorkspaceTx, id: MessageId): Promise<TracedOutbound[]> {
  const rows = await tx.query<{ outbound: TracedOutbound }>(
    `SELECT ${outboundOfO} AS outbound FROM outbox o WHERE o.workspace_id = $1 AND o.message_id = $2 ORDER BY o.ordinal`,
    [tx.workspaceId, id],
  );
  return rows.map(({ outbound }) => outbound);
}

/**
 * A workspace's own events of a delivery, which may lie in another's where it came by a route for all. None of one that is
 * withheld while somebody's erasure is under way.
 */
export async function traceEvents(tx: WorkspaceTx, id: DeliveryId): Promise<TracedEvent[]> {
  return tx.query<TracedEvent & Record<string, unknown>>(
    `SELECT e.id, e.kind, e.type, e.key, e.state, e.reason, e.occurred_at AS "occurredAt", e.created_at AS "createdAt",
       e.settled_at AS "settledAt", e.conversation_id AS "conversationId", e.payload,
       (SELECT json_build_object('id', t.id, 'outcome', t.outcome, 'steps', t.steps, 'milliseconds', t.milliseconds,
          'createdAt', t.created_at) FROM turns t WHERE t.workspace_id = e.workspace_id AND t.id = e.turn_id) AS turn,
       COALESCE((SELECT json_agg(${outboundOfO} ORDER BY o.ordinal)
        FROM outbox o WHERE o.workspace_id = e.workspace_id AND o.turn_id = e.turn_id), '[]') AS outbound
     FROM events e WHERE e.workspace_id = $1 AND e.delivery_id = $2 AND NOT is_being_erased($1, $2, 0) ORDER BY e.ordinal`,
    [tx.workspaceId, id],
  );
}

async function traceDeadLetters(tx: WorkspaceTx, id: DeliveryId): Promise<DeliveryTrace['deadLetters']> {
  return tx.query<DeliveryTrace['deadLetters'][number] & Record<string, unknown>>(
    `SELECT reason, detail, path, created_at AS "createdAt", replayed_at AS "replayedAt" FROM dead_letters
     WHERE workspace_id = $1 AND delivery_id = $2 ORDER BY created_at`,
    [tx.workspaceId, id],
  );
}
