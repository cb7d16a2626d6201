import { type MessageId, type OutboundId, summarise } from '@switchyard/contract';
import { assert } from '#kernel';
import type { WorkspaceTx } from '#storage';
import type { QueuedMessage } from './outbox.ts';
import { storableJson, storableText } from './storable.ts';

export interface QueuedIds {
  readonly outboundId: OutboundId;
  readonly messageId: MessageId;
}

const insertQueuedSql = `
  WITH taken AS (
    UPDATE conversations SET
        next_ordinal = next_ordinal + 1,
        last_message_at = CASE WHEN $8::boolean THEN last_message_at ELSE now() END,
        last_message_text = CASE WHEN $8 THEN last_message_text ELSE $12::text END
      WHERE workspace_id = $1::uuid AND id = $2::uuid AND account_id = $3::uuid
      RETURNING next_ordinal - 1 AS ordinal
  ), written AS (
    INSERT INTO messages (workspace_id, id, conversation_id, account_id, direction, author, author_id, type, content, text,
                          reply_to, status, is_test, turn_id, occurred_at)
      SELECT $1, $4::uuid, $2, $3, 'out', $6::text, $7::uuid, $9::text, $10::jsonb, $12, $13::text, 'queued', $8, $11::uuid, now()
        FROM taken
  )
  INSERT INTO outbox (workspace_id, id, account_id, conversation_id, message_id, turn_id, lane, ordinal, content, reply_to,
                      repeat_rule, state)
    SELECT $1, $5::uuid, $3, $2, $4::uuid, $11::uuid, $14::text, ordinal, $10::jsonb, $13::text, $15::text,
           CASE WHEN $8 THEN 'held' ELSE 'queued' END
      FROM taken
    RETURNING id`;

const usualLane = { bot: 'reply', person: 'reply', reminder: 'reminder', campaign: 'campaign' } as const;

/** Message, outbox row and the conversation's next ordinal in one statement. The conversation must exist, on this account. */
export async function insertQueued(tx: WorkspaceTx, ids: QueuedIds, message: QueuedMessage): Promise<void> {
  const rows = await tx.query(
    insertQueuedSql,
    [
      tx.workspaceId,
      message.conversationId,
      message.accountId,
      ids.messageId,
      ids.outboundId,
      message.author,
      message.authorId ?? null,
      message.isHeld ?? false,
      message.content.type,
      storableJson(message.content),
      message.turnId ?? null,
      storableText(summarise(message.content)),
      message.replyTo ?? null,
      message.lane ?? usualLane[message.author],
      message.repeatRule ?? 'never-twice',
    ],
    'outbox-queue',
  );
  assert(rows.length === 1, 'a message is queued in a conversation that exists, on the account that it belongs to');
}
