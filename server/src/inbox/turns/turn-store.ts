/** SQL of the second half of the drain: due conversations, their pending events, what became of each. */
import type {
  AccountId,
  ConversationId,
  DeliveryId,
  EventId,
  MessageEvent,
  TurnId,
  WorkspaceId,
} from '@switchyard/contract';
import { type StoredEvent, storableJson, storableText } from '#conversations';
import type { KnownProviderId } from '#outbox';
import type { Storage, WorkspaceTx } from '#storage';

export interface ConversationLease {
  readonly workspaceId: WorkspaceId;
  readonly conversationId: ConversationId;
  readonly epoch: string;
  /** The one who held it before ended in the middle of a turn. */
  readonly wasAbandoned: boolean;
}

export interface LeaseRequest {
  readonly limit: number;
  readonly leaseMs: number;
  readonly maxPerWorkspace: number;
  /** What this process holds. */
  readonly busyWorkspaces: ReadonlyMap<WorkspaceId, number>;
  /** Whom this process served lately, the longest ago first. */
  readonly servedLately: readonly WorkspaceId[];
}

export interface Leased {
  readonly leases: readonly ConversationLease[];
  /** Of those served lately: who had something due, or put off, when it looked. Nobody where nothing was leased. */
  readonly stillWaiting: readonly WorkspaceId[];
}

/**
 * Of each workspace its longest due, by the place that each would take among those that this process holds of the same
 * workspace; of equal places the one whose workspace was served longest ago is first, and age decides only among those of
 * whom nothing is remembered. So however much one of them has to do, the others' next turns are in the next batch. The
 * workspaces that have work are found by leaps over the index, so a flood of one costs one leap.
 *
 * Its commit does not wait for the disk: a lease that a crash of the database undoes costs a second look at most, since
 * each turn locks its conversation and reads what is pending in its own transaction.
 */
export async function leaseConversations(storage: Storage, request: LeaseRequest): Promise<Leased> {
  const { limit, leaseMs, maxPerWorkspace, busyWorkspaces, servedLately } = request;
  const rows = await storage.workerStatement<LeaseRow>(
    `WITH RECURSIVE waiting AS (
       (SELECT workspace_id FROM conversations WHERE next_due_at IS NOT NULL ORDER BY workspace_id LIMIT 1)
       UNION ALL
       SELECT next.workspace_id FROM waiting w, LATERAL (
         SELECT c.workspace_id FROM conversations c WHERE c.next_due_at IS NOT NULL AND c.workspace_id > w.workspace_id
         ORDER BY c.workspace_id LIMIT 1) AS next),
     known AS MATERIALIZED (
       SELECT w.workspace_id, COALESCE(b.count, 0) AS held, s.place AS served
       FROM waiting w LEFT JOIN unnest($4::uuid[], $5::int[]) AS b (id, count) ON b.id = w.workspace_id
       LEFT JOIN unnest($6::uuid[]) WITH ORDINALITY AS s (id, place) ON s.id = w.workspace_id),
     picked AS MATERIALIZED (
       SELECT head.*, k.held + row_number() OVER (PARTITION BY head.workspace_id ORDER BY head.next_due_at) AS nth
       FROM known k, LATERAL (
         SELECT c.workspace_id, c.id, c.next_due_at FROM conversations c
         WHERE c.workspace_id = k.workspace_id AND c.next_due_at <= clock_timestamp() AND c.leased_until < clock_timestamp()
         ORDER BY c.next_due_at LIMIT LEAST($1::int, GREATEST($3::int - k.held, 0))) AS head
       ORDER BY nth, k.served NULLS FIRST, head.next_due_at LIMIT $1),
     due AS MATERIALIZED (
       SELECT c.workspace_id, c.id, c.leased_until > '-infinity' AS was_abandoned
       FROM picked p JOIN conversations c ON c.workspace_id = p.workspace_id AND c.id = p.id
       WHERE c.next_due_at <= clock_timestamp() AND c.leased_until < clock_timestamp()
       ORDER BY p.nth, p.next_due_at FOR NO KEY UPDATE OF c SKIP LOCKED),
     leased AS (
       UPDATE conversations c SET lease_epoch = c.lease_epoch + 1,
         leased_until = clock_timestamp() + $2 * interval '1 millisecond'
       FROM due, (SELECT set_config('synchronous_commit', 'off', true) AS set OFFSET 0) AS unhurried
       WHERE c.workspace_id = due.workspace_id AND c.id = due.id AND unhurried.set IS NOT NULL
       RETURNING c.workspace_id AS "workspaceId", c.id AS "conversationId", c.lease_epoch AS epoch,
         due.was_abandoned AS "wasAbandoned")
     SELECT leased.*, CASE WHEN row_number() OVER () = 1 THEN
       (SELECT array_agg(workspace_id) FROM known WHERE served IS NOT NULL) END AS "stillWaiting" FROM leased`,
    [limit, leaseMs, maxPerWorkspace, [...busyWorkspaces.keys()], [...busyWorkspaces.values()], servedLately],
    'inbox-lease-conversations',
  );
  return { leases: rows, stillWaiting: rows[0]?.stillWaiting ?? [] };
}

/** The first row alone names who still waits. */
type LeaseRow = ConversationLease & Record<string, unknown> & { readonly stillWaiting: readonly WorkspaceId[] | null };

/**
 * Locks those of these conversations in which nothing is pending and that nobody holds just now. Whoever adds a pending
 * event locks its conversation first and sets `next_due_at`, so as long as the lock is held nothing becomes pending.
 */
export async function lockFree(tx: WorkspaceTx, conversationIds: readonly ConversationId[]): Promise<Free> {
  const rows = await tx.query<{ id: ConversationId; now: Date }>(
    `SELECT id, clock_timestamp() AS now FROM conversations
     WHERE workspace_id = $1 AND id = ANY($2::uuid[]) AND next_due_at IS NULL AND leased_until < clock_timestamp()
     ORDER BY id FOR NO KEY UPDATE SKIP LOCKED`,
    [tx.workspaceId, conversationIds],
    'inbox-lock-free',
  );
  return new Map(rows.map((row) => [row.id, row.now]));
}

/** Each with the moment of its lock, by the database's clock. */
export type Free = ReadonlyMap<ConversationId, Date>;

/** Of messages that are handled in this transaction: those for which events wait. Their conversations are locked. */
export async function findAwaited(
  tx: WorkspaceTx,
  messages: readonly KnownProviderId[],
): Promise<readonly KnownProviderId[]> {
  if (messages.length === 0) return [];
  return tx.query<KnownProviderId & Record<string, unknown>>(
    `SELECT m."accountId", m."providerMessageId"
     FROM json_to_recordset($2) AS m ("accountId" uuid, "providerMessageId" text)
     WHERE EXISTS (SELECT 1 FROM events p WHERE p.workspace_id = $1 AND p.account_id = m."accountId"
       AND p.wait_key = m."providerMessageId" AND p.state = 'parked')`,
    [tx.workspaceId, storableJson(messages)],
    'inbox-find-awaited',
  );
}

export type PendingEvent = StoredEvent<MessageEvent>;

/** A conversation that is locked for this transaction, with its next event; null: nothing is pending. */
export interface LockedConversation {
  readonly lease: ConversationLease;
  readonly next: PendingEvent | null;
  /** By the database's clock: those of workers may be wrong. */
  readonly now: Date;
}

/**
 * Locks those of these conversations whose lease is still ours, in the order of their ids, and gives each one's next
 * event: a woken zombie must stop where its own is missing. Postgres ends the transaction when it is left alone for
 * `leaseMs`, so that a stopped process does not keep the locks.
 *
 * Which event is next (promise 3): A comes before B if A was answered before B was sent; of those in flight together the
 * provider's time stamp decides, then the position, the delivery, the place in it. Events without a time stamp go by their
 * positions: when each was received is told by the clocks of several gateways. Among events that have one they stand all
 * together, where the first of them was received: so that one order holds for all.
 *
 * `position` numbers the batches in which deliveries were committed; `after_position` is the last batch that its gateway had answered when the request came in.
 * So A surely precedes B when A's position is at most B's after_position: whoever began to arrive after the smallest
 * pending position must wait. What has that position itself never does: nothing pending can precede it.
 *
 * Where a lock was waited for, an event that was committed meanwhile is not seen yet. That is right: what was answered
 * before it was normalised before it, and the end of the turn looks again. One waits for its lock; several leave out the
 * one that somebody else has just now, so that nobody waits for it but itself.
 */
export async function startTurns(
  tx: WorkspaceTx,
  leases: readonly ConversationLease[],
  leaseMs: number,
): Promise<readonly LockedConversation[]> {
  const isAlone = leases.length === 1;
  const rows = await tx.query<PendingRow>(
    `WITH locked AS MATERIALIZED (
       SELECT c.id, set_config('idle_in_transaction_session_timeout', $4, true)
       FROM unnest($2::uuid[], $3::bigint[]) AS ours (id, epoch)
       JOIN conversations c ON c.workspace_id = $1 AND c.id = ours.id AND c.lease_epoch = ours.epoch
       ORDER BY c.id FOR NO KEY UPDATE OF c ${isAlone ? '' : 'SKIP LOCKED'})
     SELECT locked.id AS "conversationId", clock_timestamp() AS now, next.* FROM locked LEFT JOIN LATERAL (
       SELECT e.id, e.delivery_id AS "deliveryId", e.account_id AS "accountId", e.payload, e.attempts,
         e.is_test AS "isTest", e.received_at AS "receivedAt", e.position, e.after_position AS "afterPosition"
       FROM events e
       CROSS JOIN (SELECT min(f.position) AS position FROM events f
         WHERE f.workspace_id = $1 AND f.conversation_id = locked.id AND f.state = 'pending') AS first
       WHERE e.workspace_id = $1 AND e.conversation_id = locked.id AND e.state = 'pending'
         AND (e.after_position < first.position OR e.position = first.position)
       ORDER BY COALESCE(e.occurred_at, (
           SELECT f.received_at FROM events f
           WHERE f.workspace_id = $1 AND f.conversation_id = locked.id AND f.state = 'pending' AND f.occurred_at IS NULL
           ORDER BY f.position, f.delivery_id, f.ordinal LIMIT 1)),
         e.position, e.delivery_id, e.ordinal LIMIT 1) AS next ON true`,
    [tx.workspaceId, leases.map((lease) => lease.conversationId), leases.map((lease) => lease.epoch), String(leaseMs)],
    isAlone ? 'inbox-start-turn' : 'inbox-start-turns',
  );
  const byId = new Map(leases.map((lease) => [lease.conversationId, lease]));
  return rows.map((row) => ({ lease: byId.get(row.conversationId)!, next: nextOf(row), now: row.now }));
}

function nextOf({
  conversationId: _conversationId,
  now: _now,
  id,
  payload,
  position,
  afterPosition,
  ...event
}: PendingRow): PendingEvent | null {
  if (id === null) return null;
  const places = { position: BigInt(position), afterPosition: BigInt(afterPosition) };
  return { eventId: id, event: payload, ...places, ...event };
}

/** All but the conversation and the time null where nothing is pending. */
interface PendingRow extends Record<string, unknown> {
  readonly conversationId: ConversationId;
  readonly now: Date;
  readonly id: EventId | null;
  readonly deliveryId: DeliveryId;
  readonly accountId: AccountId;
  readonly payload: MessageEvent;
  readonly attempts: number;
  readonly isTest: boolean;
  readonly receivedAt: Date;
  readonly position: string;
  readonly afterPosition: string;
}

/**
 * Another transaction has ended this event's turn, one whose commit nobody heard of, while this one waited for the lock and
 * read what was pending before. Nothing of this one may be kept, nor is it the event's fault: the conversation is given back.
 */
export class NoLongerPending extends Error {
  override readonly name = 'NoLongerPending';
}

export interface TurnEnd {
  readonly lease: ConversationLease;
  readonly event: PendingEvent;
  readonly state: 'handled' | 'parked';
  readonly reason: string;
  readonly waitKey: string | null;
  readonly turnId: TurnId | null;
}

/** What there is after a turn. */
export interface Afterwards {
  readonly eventId: EventId;
  /** The conversation still has pending events: it is due at once. */
  readonly hasMore: boolean;
  /** Events wait for the message that this one was. */
  readonly hasWaiting: boolean;
}

/**
 * The ends of several turns in one statement: their events are settled and their conversations given back, due again
 * where more is pending. They are locked, so whoever adds an event waits and then sets them due anew. Throws
 * NoLongerPending when one of the events has ended meanwhile.
 */
export async function endTurns(tx: WorkspaceTx, ends: readonly TurnEnd[]): Promise<readonly Afterwards[]> {
  if (ends.length === 0) return [];
  const afterwards = await tx.query<Afterwards & Record<string, unknown>>(
    `WITH given AS MATERIALIZED (
       SELECT * FROM json_to_recordset($2) AS g (
         conversation_id uuid, epoch bigint, event_id uuid, account_id uuid, state text, reason text, wait_key text,
         turn_id uuid, message_id text)),
     settled AS (
       UPDATE events e SET state = g.state, reason = g.reason, wait_key = g.wait_key, turn_id = g.turn_id,
         settled_at = CASE WHEN g.state = 'parked' THEN NULL ELSE clock_timestamp() END
       FROM given g WHERE e.workspace_id = $1 AND e.id = g.event_id AND e.state = 'pending' RETURNING e.id),
     after AS MATERIALIZED (
       SELECT g.conversation_id, g.epoch, g.event_id,
         EXISTS (SELECT 1 FROM events p WHERE p.workspace_id = $1 AND p.conversation_id = g.conversation_id
                 AND p.state = 'pending' AND p.id <> g.event_id) AS has_more,
         EXISTS (SELECT 1 FROM events p WHERE p.workspace_id = $1 AND p.account_id = g.account_id
                 AND p.wait_key = g.message_id AND p.state = 'parked') AS has_waiting
       FROM given g),
     released AS (
       UPDATE conversations c SET leased_until = '-infinity',
         next_due_at = CASE WHEN after.has_more THEN clock_timestamp() END
       FROM after WHERE c.workspace_id = $1 AND c.id = after.conversation_id AND c.lease_epoch = after.epoch)
     SELECT event_id AS "eventId", has_more AS "hasMore", has_waiting AS "hasWaiting"
     FROM after JOIN settled ON settled.id = event_id`,
    [tx.workspaceId, storableJson(ends.map(toColumns))],
    'inbox-end-turns',
  );
  if (afterwards.length < ends.length) throw new NoLongerPending('an event of these turns has ended already');
  return afterwards;
}

function toColumns({ lease, event, ...end }: TurnEnd): object {
  return {
    conversation_id: lease.conversationId,
    epoch: lease.epoch,
    event_id: event.eventId,
    account_id: event.accountId,
    state: end.state,
    reason: end.reason,
    wait_key: end.waitKey,
    turn_id: end.turnId,
    message_id: event.event.providerMessageId,
  };
}

/** Throws NoLongerPending when it has ended meanwhile. */
export async function buryEvent(tx: WorkspaceTx, eventId: EventId, reason: string): Promise<void> {
  const buried = await tx.query(
    `UPDATE events SET state = 'dead', reason = $3, settled_at = clock_timestamp()
     WHERE workspace_id = $1 AND id = $2 AND state = 'pending' RETURNING id`,
    [tx.workspaceId, eventId, storableText(reason)],
    'inbox-bury-event',
  );
  if (buried.length === 0) throw new NoLongerPending('an event that is to be buried has ended already');
}

/** Gives the conversation back; `delayMs` puts the next turn off. With nothing pending it is no longer due. */
export async function releaseConversation(tx: WorkspaceTx, lease: ConversationLease, delayMs: number): Promise<void> {
  await tx.query(
    `UPDATE conversations SET leased_until = '-infinity',
       next_due_at = CASE WHEN EXISTS (SELECT 1 FROM events WHERE workspace_id = $1 AND conversation_id = $2
         AND state = 'pending') THEN clock_timestamp() + $4 * interval '1 millisecond' END
     WHERE workspace_id = $1 AND id = $2 AND lease_epoch = $3`,
    [tx.workspaceId, lease.conversationId, lease.epoch, delayMs],
    'inbox-release-conversation',
  );
}

/** A try that failed was outlived by its process, which ends the row of those that were not. */
export async function countEventAttempt(tx: WorkspaceTx, eventId: EventId): Promise<number> {
  const rows = await tx.query<{ attempts: number }>(
    'UPDATE events SET attempts = attempts + 1, deaths = 0 WHERE workspace_id = $1 AND id = $2 RETURNING attempts',
    [tx.workspaceId, eventId],
    'inbox-count-event-attempt',
  );
  return rows[0]?.attempts ?? 0;
}

/** Before the try that may be the next death. */
export async function countEventDeath(tx: WorkspaceTx, eventId: EventId): Promise<number> {
  const rows = await tx.query<{ deaths: number }>(
    'UPDATE events SET deaths = deaths + 1 WHERE workspace_id = $1 AND id = $2 RETURNING deaths',
    [tx.workspaceId, eventId],
    'inbox-count-event-death',
  );
  return rows[0]?.deaths ?? 0;
}
