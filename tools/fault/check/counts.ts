/** Each count is a number of broken cases; what it must be stands in `verdict.ts`. One statement each. */
import { stageTimes } from '../stage/stage-times.ts';

const rankOf = (status: string) =>
  `CASE ${status} WHEN 'sent' THEN 1 WHEN 'delivered' THEN 2 WHEN 'read' THEN 3 WHEN 'played' THEN 4 ELSE 0 END`;

/** The furthest status that the provider has ever for one: `read`. */
const lastRank = 3;

/** What we were told of a message and said yes to; by the provider's id, or by ours, which a message in doubt has alone. */
const toldOf = `(
     SELECT r.rank, m.workspace_id, m.id, m.status FROM told r
     JOIN messages m ON m.provider_message_id = r.provider_message_id AND m.direction = 'out'
     UNION
     SELECT r.rank, m.workspace_id, m.id, m.status FROM told r
     JOIN took t ON t.provider_message_id = r.provider_message_id JOIN attempts a ON a.id::text = t.attempt
     JOIN outbox o ON o.workspace_id = a.workspace_id AND o.id = a.outbound_id
     JOIN messages m ON m.workspace_id = o.workspace_id AND m.id = o.message_id)`;

/** Of a turn `t`. The bot answers one customer so many times a minute, and says of such a turn that it was one too many. */
const isToBeAnswered = `t.outcome IS DISTINCT FROM 'silent: rate-limited'`;

const untilThen = 'ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING';

export const counts = {
  /** I1: acknowledged, and no delivery has these bytes. */
  notStored: `SELECT count(*) FROM acked a WHERE NOT EXISTS (SELECT 1 FROM digests d WHERE d.sha = a.sha)`,
  /** Acknowledged, and nothing came of it. */
  notHandled: `SELECT count(*) FROM acked a WHERE a.kind <> 'other' AND NOT EXISTS (
     SELECT 1 FROM heard h WHERE h.id = a.id AND h.account_id = a.account_id AND h.state = 'handled')`,
  /** Handled, and not by one turn that it names. */
  withoutTurn: `SELECT count(*) FROM heard h, LATERAL (
       SELECT count(*) AS c, min(t.id::text) AS id FROM turns t
       WHERE t.workspace_id = h.event_workspace_id AND t.event_id = h.event_id) AS its
     WHERE h.state = 'handled' AND (its.c <> 1 OR its.id IS DISTINCT FROM h.turn_id::text)`,
  /** Handled, and nothing was said to it that went out or may have: whatever its turn says, but for the bot's own limit. */
  unanswered: `SELECT count(*) FROM heard h
     LEFT JOIN turns t ON t.workspace_id = h.event_workspace_id AND t.id = h.turn_id
     WHERE h.kind = 'message' AND h.state = 'handled' AND ${isToBeAnswered} AND NOT EXISTS (
       SELECT 1 FROM outbox o WHERE o.workspace_id = h.event_workspace_id AND o.turn_id = h.turn_id
       AND o.state IN ('sent', 'uncertain'))`,
  /** Refused, cancelled, held, dead, still to be sent: nothing here deserved it. */
  unsent: `SELECT count(*) FROM outbox WHERE state NOT IN ('sent', 'uncertain')`,
  /** I2: rows without an end. A parked one is none: what it waits for has come. */
  openDeliveries: `SELECT (SELECT count(*) FROM inbox WHERE state NOT IN ('normalised', 'dead'))
     + (SELECT COALESCE(sum(delivery_count), 0) FROM arrivals)`,
  openEvents: `SELECT count(*) FROM events WHERE state NOT IN ('handled', 'ignored', 'dead')`,
  endsWithoutReason: `SELECT count(*) FROM events WHERE state IN ('ignored', 'dead') AND reason IS NULL`,
  /** Set aside for a person: legal, but nothing here deserved it. */
  dead: `SELECT (SELECT count(*) FROM events WHERE state = 'dead') + (SELECT count(*) FROM inbox WHERE state = 'dead')
     + (SELECT count(*) FROM outbox WHERE state = 'dead')`,
  /** I3: one message, one event, one turn, one row, one set of replies. */
  twinEvents: `SELECT COALESCE(sum(c - 1), 0) FROM (
     SELECT count(*) AS c FROM events GROUP BY account_id, kind, key HAVING count(*) > 1) twins`,
  twinTurns: `SELECT COALESCE(sum(c - 1), 0) FROM (
     SELECT count(*) AS c FROM turns t JOIN events e ON e.workspace_id = t.workspace_id AND e.id = t.event_id
     GROUP BY e.account_id, e.key HAVING count(*) > 1) twins`,
  twinMessages: `SELECT COALESCE(sum(c - 1), 0) FROM (
     SELECT count(*) AS c FROM messages WHERE direction = 'in' GROUP BY account_id, provider_message_id
     HAVING count(*) > 1) twins`,
  /** Replies that no committed turn of a settled event has made. */
  strayReplies: `SELECT count(*) FROM outbox o WHERE NOT EXISTS (
     SELECT 1 FROM turns t JOIN events e ON e.workspace_id = t.workspace_id AND e.id = t.event_id
     WHERE t.workspace_id = o.workspace_id AND t.id = o.turn_id AND e.turn_id = t.id AND e.state = 'handled')`,
  /** I4: accepted more than once. */
  doubleSends: `SELECT COALESCE(sum(c - 1), 0) FROM (
     SELECT count(*) AS c FROM took t JOIN attempts a ON a.id::text = t.attempt
     GROUP BY a.workspace_id, a.outbound_id HAVING count(*) > 1) twins`,
  /** Without the flag; or with it, where the rule was never to try again, and no person is here to say otherwise. */
  unflaggedDoubleSends: `SELECT COALESCE(sum(c - 1), 0) FROM (
     SELECT count(*) AS c FROM took t JOIN attempts a ON a.id::text = t.attempt
     JOIN outbox o ON o.workspace_id = a.workspace_id AND o.id = a.outbound_id
     WHERE NOT o.is_possible_duplicate OR o.repeat_rule = 'never-twice' GROUP BY o.workspace_id, o.id HAVING count(*) > 1) twins`,
  /** The provider took something that we know nothing of. */
  unknownSends: `SELECT count(*) FROM took t WHERE NOT EXISTS (SELECT 1 FROM attempts a WHERE a.id::text = t.attempt)`,
  /** We call it sent, and the provider has nothing like it. */
  claimedSends: `SELECT count(*) FROM outbox o WHERE o.state = 'sent' AND NOT EXISTS (
     SELECT 1 FROM took t JOIN attempts a ON a.id::text = t.attempt
     WHERE a.workspace_id = o.workspace_id AND a.outbound_id = o.id)`,
  /** The provider took it, and we call it refused, dead or still to be sent. */
  deniedSends: `SELECT count(*) FROM outbox o WHERE o.state NOT IN ('sent', 'uncertain') AND EXISTS (
     SELECT 1 FROM took t JOIN attempts a ON a.id::text = t.attempt
     WHERE a.workspace_id = o.workspace_id AND a.outbound_id = o.id)`,
  uncertain: `SELECT count(*) FROM outbox WHERE state = 'uncertain'`,
  /** In doubt, though the provider took it, told us so and had our 200 for it. */
  doubtedThoughTold: `SELECT count(*) FROM outbox o WHERE o.state = 'uncertain' AND EXISTS (
     SELECT 1 FROM took t JOIN attempts a ON a.id::text = t.attempt
     JOIN told r ON r.provider_message_id = t.provider_message_id
     WHERE a.workspace_id = o.workspace_id AND a.outbound_id = o.id)`,
  /** I5: by the generator's word for who writes to whom; with two threads of one customer nobody orders what lies in both. */
  splitConversations: `SELECT count(*) FROM (
     SELECT 1 FROM heard GROUP BY account_id, sender HAVING count(DISTINCT conversation_id) <> 1) split`,
  /** Turns, replies queued, replies as the provider took them: each after anything that is later. */
  turnsOutOfOrder: `SELECT count(*) FROM (
     SELECT n, max(n) OVER (PARTITION BY account_id, sender ORDER BY settled_at, turn_id ${untilThen}) AS before
     FROM heard WHERE kind = 'message') o WHERE before > n`,
  repliesOutOfOrder: `SELECT count(*) FROM (
     SELECT h.n, max(h.n) OVER (PARTITION BY h.account_id, h.sender ORDER BY o.ordinal, h.n ${untilThen}) AS before
     FROM outbox o JOIN heard h ON h.turn_id = o.turn_id) o WHERE before > n`,
  /** One in doubt may be overtaken, in this try or one before it, and after its wait; one that is tried again may not. */
  sendsOutOfOrder: `WITH sends AS MATERIALIZED (
       SELECT t.seq, o.workspace_id, o.conversation_id, o.id, o.ordinal, a.number, a.started_at
       FROM took t JOIN attempts a ON a.id::text = t.attempt
       JOIN outbox o ON o.workspace_id = a.workspace_id AND o.id = a.outbound_id)
     SELECT count(*) FROM sends s WHERE EXISTS (
       SELECT 1 FROM sends past WHERE past.workspace_id = s.workspace_id AND past.conversation_id = s.conversation_id
       AND past.seq < s.seq AND past.ordinal > s.ordinal AND NOT EXISTS (
         SELECT 1 FROM attempts d WHERE d.workspace_id = s.workspace_id AND d.outbound_id = s.id AND d.number <= s.number
         AND (d.outcome = 'uncertain' OR NOT (d.failure->>'isCertain')::boolean OR d.failure ? 'wasInDoubt')
         AND d.ended_at + ${stageTimes.uncertainWaitMs} * interval '1 millisecond' <= past.started_at))`,
  /** I6: behind what the provider told us and we answered 200. */
  statusesBehind: `SELECT count(*) FROM ${toldOf} AS m WHERE m.rank > ${rankOf('m.status')}`,
  statusesBackwards: `SELECT count(*) FROM messages m WHERE m.direction = 'out' AND EXISTS (
     SELECT 1 FROM receipts r WHERE r.workspace_id = m.workspace_id AND r.message_id = m.id AND r.was_applied
     AND ${rankOf('r.status')} > ${rankOf('m.status')})`,
  /** Taken, and its last receipt was never answered 200, or the ledger does not know of it: then nothing is proved by it. */
  untold: `SELECT count(*) FROM took t LEFT JOIN told r ON r.provider_message_id = t.provider_message_id
     WHERE COALESCE(r.rank, 0) < ${lastRank}`,
  /** Crossed: taken for another's, or answered to another. */
  crossedEvents: `SELECT count(*) FROM heard h
     JOIN conversations c ON c.workspace_id = h.event_workspace_id AND c.id = h.conversation_id
     WHERE h.workspace_id <> h.event_workspace_id OR c.account_id <> h.account_id OR NOT EXISTS (
       SELECT 1 FROM identities i WHERE i.workspace_id = c.workspace_id AND i.contact_id = c.contact_id
       AND regexp_replace(i.value, '\\D', '', 'g') = h.sender)`,
  crossedSends: `SELECT count(*) FROM took t JOIN attempts a ON a.id::text = t.attempt
     JOIN outbox o ON o.workspace_id = a.workspace_id AND o.id = a.outbound_id
     JOIN heard h ON h.turn_id = o.turn_id
     WHERE t.customer <> h.sender OR t.account_id <> h.account_id`,
  /** I10: held by the dead. */
  heldLeases: `SELECT (SELECT count(*) FROM inbox_shards WHERE leased_by IS NOT NULL)
     + (SELECT count(*) FROM conversations WHERE leased_until > '-infinity' OR next_due_at IS NOT NULL)
     + (SELECT count(*) FROM outbox WHERE state IN ('queued', 'claimed', 'sending'))`,
} as const satisfies Record<string, string>;

export type CountName = keyof typeof counts;

/** What there was to look at: an invariant without a subject is not called kept. */
export const subjects = {
  deliveries: 'SELECT count(*) FROM deliveries',
  turns: 'SELECT count(*) FROM turns',
  took: 'SELECT count(*) FROM took',
  told: `SELECT count(*) FROM ${toldOf} AS m`,
  heard: 'SELECT count(*) FROM heard',
  answered: `SELECT count(DISTINCT h.event_id) FROM heard h JOIN outbox o ON o.turn_id = h.turn_id`,
  /** Left without an answer by the bot's own limit: the fewer, the more is proved. */
  limited: `SELECT count(*) FROM heard h JOIN turns t ON t.workspace_id = h.event_workspace_id AND t.id = h.turn_id
     WHERE h.kind = 'message' AND NOT (${isToBeAnswered})`,
} as const satisfies Record<string, string>;
