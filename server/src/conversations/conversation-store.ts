import { type AccountId, type ContactId, type ConversationId, type Identity, summarise } from '@switchyard/contract';
import { assert, clampLimit, newId, type Page, pageOf, parseCursor } from '#kernel';
import type { Row, WorkspaceTx } from '#storage';
import type {
  ChangedConversation,
  Conversation,
  ConversationChange,
  ConversationListRequest,
  ConversationSummary,
  NewMessage,
  OpenConversation,
} from './conversations.ts';
import { opensWindow, unreadAfter, withoutBytes } from './message-rules.ts';
import { maxPreviewLength } from './message-store.ts';
import { storableJson } from './storable.ts';

/** The open conversation of this contact, made where there is none; null when the contact is deleted (merged away). */
export async function openConversation(
  tx: WorkspaceTx,
  accountId: AccountId,
  contactId: ContactId,
  address: readonly Identity[],
): Promise<ConversationId | null> {
  const [row] = await tx.query<Row & { id: ConversationId }>(
    `INSERT INTO conversations (workspace_id, id, account_id, contact_id, address)
     SELECT $1, $2, $3, c.id, $5::jsonb FROM contacts c
      WHERE c.workspace_id = $1 AND c.id = $4 AND c.deleted_at IS NULL FOR SHARE
     ON CONFLICT (workspace_id, account_id, contact_id) WHERE group_id IS NULL AND closed_at IS NULL
       DO UPDATE SET address = EXCLUDED.address
     RETURNING id`,
    [tx.workspaceId, newId('conversation'), accountId, contactId, storableJson(address)],
    'conversations_open',
  );
  return row?.id ?? null;
}

/** A group's conversation belongs to the group; `contactId` is whoever wrote first. */
export async function openGroup(
  tx: WorkspaceTx,
  accountId: AccountId,
  contactId: ContactId,
  groupId: string,
): Promise<ConversationId> {
  const [made] = await tx.query<Row & { id: ConversationId }>(
    `INSERT INTO conversations (workspace_id, id, account_id, contact_id, group_id) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (workspace_id, account_id, group_id) WHERE group_id IS NOT NULL AND closed_at IS NULL DO NOTHING
     RETURNING id`,
    [tx.workspaceId, newId('conversation'), accountId, contactId, groupId],
    'conversations_open_group',
  );
  const id = made?.id ?? (await findGroup(tx, accountId, groupId))?.conversationId;
  assert(id !== undefined, 'a group that could not be made is there');
  return id;
}

export async function findGroup(
  tx: WorkspaceTx,
  accountId: AccountId,
  groupId: string,
): Promise<OpenConversation | undefined> {
  const [row] = await tx.query<Row & OpenConversation>(
    `SELECT id AS "conversationId", contact_id AS "contactId" FROM conversations
      WHERE workspace_id = $1 AND account_id = $2 AND group_id = $3 AND closed_at IS NULL`,
    [tx.workspaceId, accountId, groupId],
    'conversations_find_group',
  );
  return row;
}

export async function loadConversations(
  tx: WorkspaceTx,
  ids: readonly ConversationId[],
): Promise<ReadonlyMap<ConversationId, Conversation>> {
  const rows = await tx.query<Row & Omit<Conversation, 'leaseEpoch'> & { leaseEpoch: string }>(
    `SELECT v.id, v.account_id AS "accountId", v.contact_id AS "contactId", c.name AS "contactName", c.language,
            v.group_id AS "groupId", v.address, v.session, v.handler, v.handler_until AS "handlerUntil",
            v.last_inbound_at AS "lastInboundAt", v.free_entry_until AS "freeEntryUntil", v.lease_epoch AS "leaseEpoch",
            (SELECT s.choice FROM consents s
              WHERE s.workspace_id = v.workspace_id AND s.contact_id = v.contact_id AND s.channel = a.channel
                AND s.topic = 'all' ORDER BY s.at DESC, s.id DESC LIMIT 1) AS consent
       FROM unnest($2::uuid[]) AS asked (id)
       JOIN conversations v ON v.workspace_id = $1 AND v.id = asked.id
       JOIN contacts c ON c.workspace_id = v.workspace_id AND c.id = v.contact_id
       JOIN accounts a ON a.workspace_id = v.workspace_id AND a.id = v.account_id`,
    [tx.workspaceId, ids],
    'conversations_load',
  );
  return new Map(rows.map((row) => [row.id, { ...row, leaseEpoch: BigInt(row.leaseEpoch) }]));
}

/** Conversations and, where its language was told, their contacts. */
export async function changeConversations(tx: WorkspaceTx, changes: readonly ChangedConversation[]): Promise<void> {
  if (changes.length === 0) return;
  await tx.query(
    `WITH given AS MATERIALIZED (
       SELECT * FROM json_to_recordset($2) AS g (
         id uuid, session jsonb, handler text, "isUntilGiven" boolean, "handlerUntil" timestamptz, language text,
         "isMoved" boolean, "receivedAt" timestamptz, received text, "opensWindow" boolean,
         "freeEntryUntil" timestamptz, unread text, ordinals integer, queued text)),
     spoken AS (
       UPDATE contacts c SET language = g.language, updated_at = now()
         FROM given g JOIN conversations v ON v.workspace_id = $1 AND v.id = g.id
        WHERE c.workspace_id = $1 AND c.id = v.contact_id AND g.language IS NOT NULL
          AND c.language IS DISTINCT FROM g.language)
     UPDATE conversations v SET session = COALESCE(g.session, v.session), handler = COALESCE(g.handler, v.handler),
            handler_until = CASE WHEN g."isUntilGiven" THEN g."handlerUntil" ELSE v.handler_until END,
            last_message_text = CASE WHEN g.queued IS NOT NULL THEN g.queued
              WHEN g.received IS NULL OR g."receivedAt" < v.last_message_at THEN v.last_message_text ELSE g.received END,
            last_message_at = CASE WHEN g.queued IS NOT NULL THEN now()
              WHEN g.received IS NULL THEN v.last_message_at ELSE GREATEST(v.last_message_at, g."receivedAt") END,
            last_inbound_at = CASE WHEN g."opensWindow" THEN GREATEST(v.last_inbound_at, g."receivedAt")
              ELSE v.last_inbound_at END,
            free_entry_until = GREATEST(v.free_entry_until, g."freeEntryUntil"),
            unread_count = CASE g.unread WHEN 'more' THEN v.unread_count + 1 WHEN 'none' THEN 0 ELSE v.unread_count END,
            next_ordinal = v.next_ordinal + COALESCE(g.ordinals, 0)
       FROM given g WHERE v.workspace_id = $1 AND v.id = g.id AND g."isMoved"`,
    [tx.workspaceId, storableJson(changes.map(toChangeColumns))],
    'conversations_change',
  );
}

function toChangeColumns({ id, change }: ChangedConversation): object {
  const { session, handler, handlerUntil, language, saved, queued } = change;
  const isUntilGiven = handlerUntil !== undefined;
  const isMoved = session !== undefined || handler !== undefined || isUntilGiven || Boolean(saved ?? queued);
  const moves = { ...(saved ? movedBy(saved) : {}), ...(queued ? takenBy(queued) : {}) };
  return { id, session, handler, isUntilGiven, handlerUntil, language, isMoved, ...moves };
}

function movedBy(message: NewMessage): object {
  const text = summarise(withoutBytes(message.content)).slice(0, maxPreviewLength);
  return {
    receivedAt: message.occurredAt,
    received: message.isTest ? null : text,
    opensWindow: opensWindow(message),
    freeEntryUntil: message.freeEntryUntil,
    unread: unreadAfter(message),
  };
}

function takenBy({ ordinals, preview }: NonNullable<ConversationChange['queued']>): object {
  return { ordinals, queued: preview };
}

export async function changeConversationAddress(
  tx: WorkspaceTx,
  id: ConversationId,
  address: readonly Identity[],
): Promise<void> {
  await tx.query('UPDATE conversations SET address = $3::jsonb WHERE workspace_id = $1 AND id = $2', [
    tx.workspaceId,
    id,
    storableJson(address),
  ]);
}

const summaryColumns = `v.id, v.account_id AS "accountId", a.name AS "accountName", a.provider,
  v.contact_id AS "contactId", c.name AS "contactName", v.group_id AS "groupId", v.address, v.handler,
  v.handler_until AS "handlerUntil", v.last_inbound_at AS "lastInboundAt", v.free_entry_until AS "freeEntryUntil",
  v.last_message_at AS "lastMessageAt", v.last_message_text AS "lastMessageText", v.unread_count AS "unreadCount"`;
const summaryTables = `conversations v
  JOIN contacts c ON c.workspace_id = v.workspace_id AND c.id = v.contact_id
  JOIN accounts a ON a.workspace_id = v.workspace_id AND a.id = v.account_id`;

type SummaryRow = Row & ConversationSummary & { position: string | null };

/** null also while an erasure purges it: hidden from the moment it was asked for. */
export async function findSummary(tx: WorkspaceTx, id: ConversationId): Promise<ConversationSummary | null> {
  const [row] = await tx.query<SummaryRow>(
    `SELECT ${summaryColumns}, NULL AS position FROM ${summaryTables}
      WHERE v.workspace_id = $1 AND v.id = $2 AND (v.group_id IS NOT NULL OR c.deleted_at IS NULL)`,
    [tx.workspaceId, id],
    'conversations_find_summary',
  );
  return row ? toSummary(row) : null;
}

/**
 * Those that were merged into another are not listed: their messages are in its thread. Nor are those in which there were
 * tests only.
 */
export async function listConversations(
  tx: WorkspaceTx,
  request: ConversationListRequest,
): Promise<Page<ConversationSummary>> {
  const limit = clampLimit(request.limit);
  const after = request.cursor === undefined ? undefined : parseCursor(request.cursor, 2);
  const rows = await tx.query<SummaryRow>(
    `SELECT ${summaryColumns}, v.last_message_at::text AS position FROM ${summaryTables}
      WHERE v.workspace_id = $1 AND v.closed_at IS NULL
        AND (v.last_message_at IS NOT NULL OR NOT EXISTS (
          SELECT FROM messages m WHERE m.workspace_id = $1 AND m.conversation_id = v.id AND m.is_test))
        AND ($2::uuid IS NULL OR v.account_id = $2)
        AND ($3::text IS NULL OR v.handler = $3)
        AND ($4::text IS NULL OR c.name ILIKE $4 OR v.address::text ILIKE $4)
        AND ($5::uuid IS NULL
          OR ($6::timestamptz IS NULL AND v.last_message_at IS NULL AND v.id > $5)
          OR ($6 IS NOT NULL AND (v.last_message_at < $6 OR v.last_message_at IS NULL
            OR (v.last_message_at = $6 AND v.id > $5))))
      ORDER BY v.last_message_at DESC NULLS LAST, v.id LIMIT $7`,
    [
      tx.workspaceId,
      request.accountId ?? null,
      request.handler ?? null,
      request.search ? `%${request.search.replace(/[\\%_]/g, '\\$&')}%` : null,
      after?.[1] ?? null,
      after?.[0] ?? null,
      limit + 1,
    ],
    'conversations_list',
  );
  return pageOf(rows, limit, { item: toSummary, key: (row) => [row.position, row.id] });
}

export async function markRead(tx: WorkspaceTx, id: ConversationId): Promise<string | null> {
  await tx.query(
    'UPDATE conversations SET unread_count = 0 WHERE workspace_id = $1 AND id = $2 AND unread_count > 0',
    [tx.workspaceId, id],
    'conversations_mark_read',
  );
  const [last] = await tx.query<Row & { providerMessageId: string | null }>(
    `SELECT provider_message_id AS "providerMessageId" FROM messages
      WHERE workspace_id = $1 AND conversation_id = $2 AND direction = 'in' ORDER BY created_at DESC, id DESC LIMIT 1`,
    [tx.workspaceId, id],
    'conversations_last_inbound',
  );
  return last?.providerMessageId ?? null;
}

function toSummary({ position: _position, ...summary }: SummaryRow): ConversationSummary {
  return summary;
}
