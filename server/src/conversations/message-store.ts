import { type ConversationId, type MessageContent, type MessageId, summarise } from '@switchyard/contract';
import { clampLimit, type Page, type PageRequest, pageOf, parseCursor } from '#kernel';
import type { Row, WorkspaceTx } from '#storage';
import type { MessageAct, NewMessage, StoredMessage } from './conversations.ts';
import { withoutBytes } from './message-rules.ts';
import { storableJson, storableText } from './storable.ts';

export const maxPreviewLength = 200;

/** `created_at` is the place in the thread: now, or for history the time at which it happened. */
const writeSql = `
  WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset($2) AS g (
      id uuid, "conversationId" uuid, "accountId" uuid, direction text, author text, "authorId" uuid, type text,
      content jsonb, text text, "providerMessageId" text, "replyTo" text, status text, "isHistory" boolean,
      "isTest" boolean, "eventId" uuid, "turnId" uuid, "occurredAt" timestamptz)
  ), written AS (
    INSERT INTO messages (workspace_id, id, conversation_id, account_id, direction, author, author_id, type, content, text,
                          provider_message_id, reply_to, status, is_history, is_test, event_id, turn_id, occurred_at, created_at)
    SELECT $1, g.id, g."conversationId", g."accountId", g.direction, g.author, g."authorId", g.type, g.content, g.text,
           g."providerMessageId", g."replyTo", g.status, g."isHistory", g."isTest", g."eventId", g."turnId", g."occurredAt",
           CASE WHEN g."isHistory" THEN g."occurredAt" ELSE now() END
      FROM given g
    ON CONFLICT (workspace_id, account_id, provider_message_id) WHERE provider_message_id IS NOT NULL DO NOTHING
    RETURNING id
  )
  SELECT id FROM written`;

/** Gives those that were new. What they move in their conversations is another statement's: see `changeConversations`. */
export async function saveMessages(tx: WorkspaceTx, messages: readonly NewMessage[]): Promise<ReadonlySet<MessageId>> {
  const rows = await tx.query<Row & { id: MessageId }>(
    writeSql,
    [tx.workspaceId, storableJson(messages.map(toColumns))],
    'conversations_save_messages',
  );
  return new Set(rows.map((row) => row.id));
}

function toColumns(message: NewMessage): object {
  const content = withoutBytes(message.content);
  const { isHistory = false, isTest = false } = message;
  return { ...message, content, type: content.type, text: summarise(content), isHistory, isTest };
}

export interface Target extends Row {
  id: MessageId;
  direction: 'in' | 'out';
  isSameThread: boolean;
  editedAt: Date | null;
  deletedAt: Date | null;
}

/** The message that an act names, locked; its thread is every conversation of the same contact and account. */
export async function findTarget(tx: WorkspaceTx, act: MessageAct): Promise<Target | undefined> {
  const [row] = await tx.query<Target>(
    `SELECT m.id, m.direction, m.edited_at AS "editedAt", m.deleted_at AS "deletedAt",
            ($4::uuid IS NULL OR m.conversation_id = $4 OR EXISTS (
              SELECT FROM conversations a JOIN conversations b ON b.workspace_id = a.workspace_id
                 AND b.account_id = a.account_id AND b.contact_id = a.contact_id AND b.group_id IS NULL
               WHERE a.workspace_id = $1 AND a.id = $4 AND a.group_id IS NULL AND b.id = m.conversation_id))
              AS "isSameThread"
       FROM messages m
      WHERE m.workspace_id = $1 AND m.account_id = $2 AND m.provider_message_id = $3
      FOR UPDATE OF m`,
    [tx.workspaceId, act.accountId, storableText(act.targetId), act.conversationId],
    'conversations_find_target',
  );
  return row;
}

export async function writeEdit(
  tx: WorkspaceTx,
  id: MessageId,
  content: MessageContent | null,
  at: Date,
): Promise<void> {
  await tx.query(
    `UPDATE messages SET edited_at = $3, content = COALESCE($4::jsonb, content), text = COALESCE($5, text)
      WHERE workspace_id = $1 AND id = $2`,
    [
      tx.workspaceId,
      id,
      at,
      content === null ? null : storableJson(withoutBytes(content)),
      content === null ? null : storableText(summarise(content)),
    ],
    'conversations_write_edit',
  );
}

/** The row stays, with its type; what was said is gone, from the conversation's preview too. */
export async function eraseContent(tx: WorkspaceTx, id: MessageId, erased: MessageContent, at: Date): Promise<void> {
  await tx.query(
    `WITH was AS (SELECT conversation_id, text FROM messages WHERE workspace_id = $1 AND id = $2),
     preview AS (
       UPDATE conversations v SET last_message_text = $4 FROM was
        WHERE v.workspace_id = $1 AND v.id = was.conversation_id
          AND v.last_message_text = left(was.text, ${maxPreviewLength})
     )
     UPDATE messages SET deleted_at = $5, content = $3::jsonb, text = $4::text, reactions = '{}'
      WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, id, JSON.stringify(erased), summarise(erased), at],
    'conversations_erase_content',
  );
}

/** False when a later reaction of the same person is there. One taken away leaves its time, so that it stays away. */
export async function writeReaction(
  tx: WorkspaceTx,
  id: MessageId,
  reaction: { readonly by: string; readonly emoji: string | null; readonly at: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE messages SET reactions = reactions || jsonb_build_object($3::text,
            jsonb_build_object('emoji', $4::text, 'at', $5::text))
      WHERE workspace_id = $1 AND id = $2
        AND COALESCE((reactions->$3->>'at')::timestamptz, '-infinity') <= $5::timestamptz
      RETURNING id`,
    [
      tx.workspaceId,
      id,
      reaction.by,
      reaction.emoji === null ? null : storableText(reaction.emoji),
      reaction.at.toISOString(),
    ],
    'conversations_write_reaction',
  );
  return rows.length > 0;
}

interface MessageRow extends Row, Omit<StoredMessage, 'reactions'> {
  reactions: Readonly<Record<string, { readonly emoji: string | null }>>;
  position: string;
}

const messageColumns = `m.id, m.conversation_id AS "conversationId", m.account_id AS "accountId", m.direction, m.author,
  m.author_id AS "authorId", m.type, m.content, m.text, m.provider_message_id AS "providerMessageId",
  m.reply_to AS "replyTo", m.status, m.error, m.reactions, m.edited_at IS NOT NULL AS "isEdited",
  m.deleted_at IS NOT NULL AS "isDeleted", m.is_history AS "isHistory", m.is_test AS "isTest",
  m.turn_id AS "turnId", m.occurred_at AS "occurredAt", m.created_at::text AS position`;

/** An erased contact's messages are hidden from the moment it was asked for; a group is nobody's alone. */
const isOfSomebody = `NOT EXISTS (SELECT FROM conversations h JOIN contacts c ON c.workspace_id = h.workspace_id AND c.id = h.contact_id
  WHERE h.workspace_id = m.workspace_id AND h.id = m.conversation_id AND h.group_id IS NULL AND c.deleted_at IS NOT NULL)`;

export async function findMessage(tx: WorkspaceTx, id: MessageId): Promise<StoredMessage | null> {
  const [row] = await tx.query<MessageRow>(
    `SELECT ${messageColumns} FROM messages m WHERE m.workspace_id = $1 AND m.id = $2 AND ${isOfSomebody}`,
    [tx.workspaceId, id],
    'conversations_find_message',
  );
  return row ? toMessage(row) : null;
}

export async function listMessages(
  tx: WorkspaceTx,
  id: ConversationId,
  request: PageRequest,
): Promise<Page<StoredMessage>> {
  const limit = clampLimit(request.limit);
  const after = request.cursor === undefined ? undefined : parseCursor(request.cursor, 2);
  const rows = await tx.query<MessageRow>(
    `SELECT ${messageColumns}
       FROM messages m
      WHERE m.workspace_id = $1 AND m.conversation_id IN (
          SELECT t.id FROM conversations v JOIN conversations t ON t.workspace_id = v.workspace_id AND (t.id = v.id
             OR (v.group_id IS NULL AND t.group_id IS NULL AND t.account_id = v.account_id AND t.contact_id = v.contact_id))
           WHERE v.workspace_id = $1 AND v.id = $2)
        AND ($3::timestamptz IS NULL OR (m.created_at, m.id) < ($3, $4::uuid)) AND ${isOfSomebody}
      ORDER BY m.created_at DESC, m.id DESC LIMIT $5`,
    [tx.workspaceId, id, after?.[0] ?? null, after?.[1] ?? null, limit + 1],
    'conversations_list_messages',
  );
  return pageOf(rows, limit, { item: toMessage, key: (row) => [row.position, row.id] });
}

function toMessage({ position: _position, reactions, ...row }: MessageRow): StoredMessage {
  const standing = Object.entries(reactions).flatMap(([by, { emoji }]) => (emoji === null ? [] : [[by, emoji]]));
  return { ...row, reactions: Object.fromEntries(standing) };
}
