import { summarise } from '@switchyard/contract';
import { assert } from '#kernel';
import type { WorkspaceTx } from '#storage';
import type { QueuedIds, QueuedMessage } from './outbox.ts';
import { storableJson } from './storable.ts';

/** `place` keeps the order in which they were given: a conversation's ordinals follow it, and the last one is its preview. */
const insertQueuedSql = `
  WITH given AS MATERIALIZED (
    SELECT g.*, row_number() OVER (PARTITION BY "conversationId" ORDER BY place) AS nth,
           count(*) OVER (PARTITION BY "conversationId") AS together
      FROM json_to_recordset($2) AS g (
        place integer, "conversationId" uuid, "accountId" uuid, "messageId" uuid, "outboundId" uuid, author text,
        "authorId" uuid, "isHeld" boolean, content jsonb, "turnId" uuid, text text, "replyTo" text, lane text,
        "repeatRule" text)
  ), taken AS (
    UPDATE conversations c SET
        next_ordinal = c.next_ordinal + g.together,
        last_message_at = CASE WHEN g."isHeld" THEN c.last_message_at ELSE now() END,
        last_message_text = CASE WHEN g."isHeld" THEN c.last_message_text ELSE g.text END
      FROM given g
      WHERE g.nth = g.together AND c.workspace_id = $1::uuid AND c.id = g."conversationId" AND c.account_id = g."accountId"
      RETURNING c.id, c.next_ordinal - g.together - 1 AS before
  ), written AS (
    INSERT INTO messages (workspace_id, id, conversation_id, account_id, direction, author, author_id, type, content, text,
                          reply_to, status, is_test, turn_id, occurred_at)
      SELECT $1, g."messageId", g."conversationId", g."accountId", 'out', g.author, g."authorId", g.content->>'type',
             g.content, g.text, g."replyTo", 'queued', g."isHeld", g."turnId", now()
        FROM given g JOIN taken ON taken.id = g."conversationId"
  )
  INSERT INTO outbox (workspace_id, id, account_id, conversation_id, message_id, turn_id, lane, ordinal, content, reply_to,
                      repeat_rule, state)
    SELECT $1, g."outboundId", g."accountId", g."conversationId", g."messageId", g."turnId", g.lane, taken.before + g.nth,
           g.content, g."replyTo", g."repeatRule", CASE WHEN g."isHeld" THEN 'held' ELSE 'queued' END
      FROM given g JOIN taken ON taken.id = g."conversationId"
    RETURNING id`;

const usualLane = { bot: 'reply', person: 'reply', reminder: 'reminder', campaign: 'campaign' } as const;

/**
 * Messages, outbox rows and their conversations' next ordinals in one statement. Each conversation must exist, on the
 * account that is named.
 */
export async function insertQueued(tx: WorkspaceTx, messages: readonly (QueuedMessage & QueuedIds)[]): Promise<void> {
  const rows = await tx.query(insertQueuedSql, [tx.workspaceId, storableJson(messages.map(toColumns))], 'outbox-queue');
  assert(
    rows.length === messages.length,
    'a message is queued in a conversation that exists, on the account that it belongs to',
  );
}

function toColumns(message: QueuedMessage & QueuedIds, place: number): object {
  return {
    ...message,
    place,
    text: summarise(message.content),
    isHeld: message.isHeld ?? false,
    lane: message.lane ?? usualLane[message.author],
    repeatRule: message.repeatRule ?? 'never-twice',
  };
}
