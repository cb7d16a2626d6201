/**
 * Two contacts become one: what the younger had is moved to the older, in the caller's transaction, and what was moved
 * is written down there, so that it can be moved back. Both contacts are locked by the caller.
 *
 * Where both have an open conversation with one account, the younger contact's is closed. Its messages stay in it: the
 * thread of a contact with an account is all their conversations, and so nothing needs telling apart to undo it.
 */
import type { ContactId, ConversationId } from '@switchyard/contract';
import type { Row, WorkspaceTx } from '#storage';

interface MergeRecord {
  readonly contactId: ContactId;
  readonly at: string;
  readonly identities: readonly { readonly kind: string; readonly scope: string; readonly value: string }[];
  readonly consents: readonly string[];
  readonly conversations: readonly ConversationId[];
  /** Of `conversations`, those that were open until then. */
  readonly closed: readonly ConversationId[];
}

export async function mergeContacts(tx: WorkspaceTx, survivorId: ContactId, otherId: ContactId): Promise<void> {
  const closed = await closeRivals(tx, survivorId, otherId);
  const conversations = await moveConversations(tx, survivorId, otherId);
  const identities = await tx.query<Row & MergeRecord['identities'][number]>(
    'UPDATE identities SET contact_id = $2 WHERE workspace_id = $1 AND contact_id = $3 RETURNING kind, scope, value',
    [tx.workspaceId, survivorId, otherId],
  );
  const consents = await tx.query<Row & { id: string }>(
    'UPDATE consents SET contact_id = $2 WHERE workspace_id = $1 AND contact_id = $3 RETURNING id',
    [tx.workspaceId, survivorId, otherId],
  );
  await recordMerge(tx, survivorId, otherId, {
    identities,
    consents: consents.map(({ id }) => id),
    conversations,
    closed,
  });
}

/** The survivor's conversation takes over what is newer in the one that is closed. */
async function closeRivals(
  tx: WorkspaceTx,
  survivorId: ContactId,
  otherId: ContactId,
): Promise<readonly ConversationId[]> {
  const rows = await tx.query<Row & { id: ConversationId }>(
    `WITH rival AS (
       UPDATE conversations o SET closed_at = now() FROM conversations s
        WHERE o.workspace_id = $1 AND o.contact_id = $3 AND o.group_id IS NULL AND o.closed_at IS NULL
          AND s.workspace_id = $1 AND s.contact_id = $2 AND s.group_id IS NULL AND s.closed_at IS NULL
          AND s.account_id = o.account_id
        RETURNING o.*, s.id AS survivor_id
     ), taken AS (
       UPDATE conversations s SET
           last_inbound_at = GREATEST(s.last_inbound_at, r.last_inbound_at),
           free_entry_until = GREATEST(s.free_entry_until, r.free_entry_until),
           unread_count = s.unread_count + r.unread_count,
           session = CASE WHEN r.last_message_at > s.last_message_at THEN r.session ELSE s.session END,
           handler = CASE WHEN 'person' IN (s.handler, r.handler) THEN 'person' ELSE 'bot' END,
           handler_until = CASE WHEN s.handler = r.handler THEN GREATEST(s.handler_until, r.handler_until)
             WHEN r.handler = 'person' THEN r.handler_until ELSE s.handler_until END,
           last_message_text = CASE WHEN r.last_message_at > s.last_message_at THEN r.last_message_text
             ELSE s.last_message_text END,
           last_message_at = GREATEST(s.last_message_at, r.last_message_at)
         FROM rival r WHERE s.workspace_id = $1 AND s.id = r.survivor_id
     )
     SELECT id FROM rival`,
    [tx.workspaceId, survivorId, otherId],
  );
  return rows.map(({ id }) => id);
}

async function moveConversations(
  tx: WorkspaceTx,
  survivorId: ContactId,
  otherId: ContactId,
): Promise<readonly ConversationId[]> {
  const rows = await tx.query<Row & { id: ConversationId }>(
    'UPDATE conversations SET contact_id = $2 WHERE workspace_id = $1 AND contact_id = $3 RETURNING id',
    [tx.workspaceId, survivorId, otherId],
  );
  return rows.map(({ id }) => id);
}

async function recordMerge(
  tx: WorkspaceTx,
  survivorId: ContactId,
  otherId: ContactId,
  moved: Omit<MergeRecord, 'contactId' | 'at'>,
): Promise<void> {
  await tx.query(
    `UPDATE contacts SET updated_at = now(), deleted_at = now(),
            metadata = metadata || jsonb_build_object('mergedInto', $2::text)
      WHERE workspace_id = $1 AND id = $3`,
    [tx.workspaceId, survivorId, otherId],
  );
  await tx.query(
    `UPDATE contacts s SET updated_at = now(), name = COALESCE(s.name, o.name), language = COALESCE(s.language, o.language),
            metadata = o.metadata - 'mergedInto' - 'merges' || s.metadata || jsonb_build_object('merges',
              COALESCE(s.metadata->'merges', '[]') || jsonb_build_array(
                $4::jsonb || jsonb_build_object('contactId', o.id, 'at', now())))
       FROM contacts o
      WHERE s.workspace_id = $1 AND s.id = $2 AND o.workspace_id = $1 AND o.id = $3`,
    [tx.workspaceId, survivorId, otherId, JSON.stringify(moved)],
  );
}

export async function undoMerge(tx: WorkspaceTx, survivorId: ContactId, mergedId: ContactId): Promise<boolean> {
  const record = await takeRecord(tx, survivorId, mergedId);
  if (record === undefined) return false;
  await tx.query(
    `UPDATE contacts SET deleted_at = NULL, updated_at = now(), metadata = metadata - 'mergedInto'
      WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, mergedId],
  );
  for (const { kind, scope, value } of record.identities)
    await tx.query(
      `UPDATE identities SET contact_id = $3
        WHERE workspace_id = $1 AND contact_id = $2 AND kind = $4 AND scope = $5 AND value = $6`,
      [tx.workspaceId, survivorId, mergedId, kind, scope, value],
    );
  await moveBack(tx, record, { survivorId, mergedId });
  return true;
}

async function takeRecord(
  tx: WorkspaceTx,
  survivorId: ContactId,
  mergedId: ContactId,
): Promise<MergeRecord | undefined> {
  const [row] = await tx.query<Row & { merges: readonly MergeRecord[] | null }>(
    `SELECT metadata->'merges' AS merges FROM contacts WHERE workspace_id = $1 AND id = $2 FOR UPDATE`,
    [tx.workspaceId, survivorId],
  );
  const merges = row?.merges ?? [];
  const record = merges.find((merge) => merge.contactId === mergedId);
  if (record === undefined) return undefined;
  await tx.query(
    `UPDATE contacts SET metadata = metadata || jsonb_build_object('merges', $3::jsonb), updated_at = now()
      WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, survivorId, JSON.stringify(merges.filter((merge) => merge !== record))],
  );
  return record;
}

async function moveBack(
  tx: WorkspaceTx,
  record: MergeRecord,
  { survivorId, mergedId }: { readonly survivorId: ContactId; readonly mergedId: ContactId },
): Promise<void> {
  const values = [tx.workspaceId, survivorId, mergedId];
  await tx.query(
    'UPDATE consents SET contact_id = $3 WHERE workspace_id = $1 AND contact_id = $2 AND id = ANY($4::uuid[])',
    [...values, record.consents],
  );
  await tx.query(
    `UPDATE conversations SET contact_id = $3, closed_at = CASE WHEN id = ANY($5::uuid[]) THEN NULL ELSE closed_at END
      WHERE workspace_id = $1 AND contact_id = $2 AND id = ANY($4::uuid[])`,
    [...values, record.conversations, record.closed],
  );
}
