import { type OutboundContent, type OutboundId, summarise, type WorkspaceId } from '@switchyard/contract';
import { assert } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { connectionOf, pairWaitOf } from './dispatch/claim-facts.ts';
import type { ClaimedMessage } from './dispatch/walk.ts';
import type { Lane, MovedConversations, QueuedIds, QueuedMessage } from './outbox.ts';
import { moves } from './states.ts';
import { storableJson } from './storable.ts';

/**
 * Nothing of its conversation is on its way. The one before it must be seen as settled: one that was queued while this
 * statement waited for the conversation is not seen at all.
 */
const isFirst = `(taken.before = 0 OR EXISTS (
            SELECT 1 FROM outbox last WHERE last.workspace_id = $1 AND last.conversation_id = taken.id
              AND last.ordinal = taken.before AND last.state NOT IN ('queued', 'claimed', 'sending', 'uncertain')))
          AND NOT EXISTS (
            SELECT 1 FROM outbox open WHERE open.workspace_id = $1 AND open.conversation_id = taken.id
              AND open.state IN ('queued', 'claimed', 'sending', 'uncertain'))`;

/** Their ordinals, taken here; or taken before in this transaction, by who moved the conversations. */
const taking = {
  'to-move': `
    UPDATE conversations c SET
        next_ordinal = c.next_ordinal + g.together,
        last_message_at = CASE WHEN g."isHeld" THEN c.last_message_at ELSE now() END,
        last_message_text = CASE WHEN g."isHeld" THEN c.last_message_text ELSE g.text END
      FROM given g
      WHERE g.nth = g.together AND c.workspace_id = $1::uuid AND c.id = g."conversationId" AND c.account_id = g."accountId"
      RETURNING c.id, c.next_ordinal - g.together - 1 AS before, c.address, c.last_inbound_at, c.free_entry_until`,
  moved: `
    SELECT c.id, c.next_ordinal - g.together - 1 AS before, c.address, c.last_inbound_at, c.free_entry_until
      FROM given g JOIN conversations c
        ON c.workspace_id = $1::uuid AND c.id = g."conversationId" AND c.account_id = g."accountId"
     WHERE g.nth = g.together`,
} as const;

/** `place` keeps the order in which they were given: a conversation's ordinals follow it, and the last one is its preview. */
const insertSql = (conversations: MovedConversations) => `
  WITH given AS MATERIALIZED (
    SELECT g.*, row_number() OVER (PARTITION BY "conversationId" ORDER BY place) AS nth,
           count(*) OVER (PARTITION BY "conversationId") AS together
      FROM json_to_recordset($2) AS g (
        place integer, "conversationId" uuid, "accountId" uuid, "messageId" uuid, "outboundId" uuid, author text,
        "authorId" uuid, "isHeld" boolean, content jsonb, "turnId" uuid, text text, "replyTo" text, lane text,
        "repeatRule" text, "leaseMs" integer)
  ), taken AS MATERIALIZED (${taking[conversations]}
  ), written AS (
    INSERT INTO messages (workspace_id, id, conversation_id, account_id, direction, author, author_id, type, content, text,
                          reply_to, status, is_test, turn_id, occurred_at)
      SELECT $1, g."messageId", g."conversationId", g."accountId", 'out', g.author, g."authorId", g.content->>'type',
             g.content, g.text, g."replyTo", 'queued', g."isHeld", g."turnId", now()
        FROM given g JOIN taken ON taken.id = g."conversationId"
  ), queued AS (
    INSERT INTO outbox (workspace_id, id, account_id, conversation_id, message_id, turn_id, lane, ordinal, content,
                        reply_to, repeat_rule, state, lease_epoch, leased_until)
      SELECT $1, g."outboundId", g."accountId", g."conversationId", g."messageId", g."turnId", g.lane,
             taken.before + g.nth, g.content, g."replyTo", g."repeatRule",
             CASE WHEN g."isHeld" THEN 'held' WHEN may.claim THEN $3 ELSE 'queued' END, may.claim::int,
             CASE WHEN may.claim THEN now() + g."leaseMs" * interval '1 millisecond' ELSE '-infinity' END
        FROM given g JOIN taken ON taken.id = g."conversationId", LATERAL (
          SELECT NOT g."isHeld" AND g."leaseMs" > 0 AND g.nth = 1 AND ${isFirst} AS claim OFFSET 0) AS may
      RETURNING *
  )
  SELECT q.id, q.state = $3 AS "isClaimed", q.lease_epoch AS "leaseEpoch", taken.address,
         (extract(epoch FROM now() - taken.last_inbound_at) * 1000)::float8 AS "inboundAgeMs",
         COALESCE(taken.free_entry_until > now(), false) AS "isFreeEntryOpen", ${pairWaitOf('q')} AS "pairWaitMs",
         ${connectionOf('ac')} AS connection
    FROM queued q JOIN taken ON taken.id = q.conversation_id
    JOIN accounts ac ON ac.workspace_id = q.workspace_id AND ac.id = q.account_id`;

const insertSqls = { 'to-move': insertSql('to-move'), moved: insertSql('moved') } as const;

/** Late replies are replies too, and read marks no messages: docs/decisions/0015-lanes-and-whose-turn-it-is.md says why. */
const usualLane = { bot: 'reply', person: 'reply', reminder: 'reminder', campaign: 'campaign' } as const;

/** What is to be queued; with a lease: claimed at once by who queues it, where nothing of its conversation is before it. */
export interface QueuedRow extends QueuedMessage, QueuedIds {
  /** 0: only queued. */
  readonly leaseMs: number;
}

/**
 * Messages, outbox rows and their conversations' next ordinals in one statement. Each conversation must exist, on the
 * account that is named. Gives those that were claimed.
 */
export async function insertQueued(
  tx: WorkspaceTx,
  messages: readonly QueuedRow[],
  conversations: MovedConversations,
): Promise<readonly ClaimedMessage[]> {
  const values = [tx.workspaceId, storableJson(messages.map(toColumns)), moves.claim.to];
  const rows = await tx.query<ClaimColumns>(insertSqls[conversations], values, `outbox-queue-${conversations}`);
  assert(
    rows.length === messages.length,
    'a message is queued in a conversation that exists, on the account that it belongs to',
  );
  const byId = new Map(messages.map((message) => [message.outboundId, message]));
  return rows.flatMap(({ id, isClaimed, ...facts }) =>
    isClaimed ? [toClaimed(tx.workspaceId, byId.get(id)!, facts)] : [],
  );
}

type ClaimFacts = Pick<
  ClaimedMessage,
  'leaseEpoch' | 'address' | 'inboundAgeMs' | 'isFreeEntryOpen' | 'pairWaitMs' | 'connection'
>;
type ClaimColumns = ClaimFacts & Record<string, unknown> & { readonly id: OutboundId; readonly isClaimed: boolean };

function toClaimed(workspaceId: WorkspaceId, message: QueuedRow, facts: ClaimFacts): ClaimedMessage {
  const { outboundId, accountId, conversationId, messageId, replyTo = null } = message;
  const ids = { workspaceId, outboundId, accountId, conversationId, messageId };
  // The same words as if they had been read from the database.
  const content = JSON.parse(storableJson(message.content)) as OutboundContent;
  return { ...ids, ...facts, lane: laneOf(message), content, replyTo, tries: 0, ageMs: 0, previousWaitMs: null };
}

export function laneOf({ lane, author }: QueuedMessage): Lane {
  return lane ?? usualLane[author];
}

function toColumns(message: QueuedRow, place: number): object {
  return {
    ...message,
    place,
    text: summarise(message.content),
    isHeld: message.isHeld ?? false,
    lane: laneOf(message),
    repeatRule: message.repeatRule ?? 'never-twice',
  };
}
