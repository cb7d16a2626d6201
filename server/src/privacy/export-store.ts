/** SQL of an export: one cursor, so one moment, however long it takes to read. */
import type { ContactId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';

export interface ExportPart extends Record<string, unknown> {
  readonly part: 'contact' | 'identity' | 'consent' | 'conversation' | 'message' | 'delivery';
  /** JSON text. */
  readonly document: string;
}

const prefixed = (prefix: string, column: string) => `'${prefix}_' || replace(${column}::text, '-', '')`;

/**
 * What somebody said in a group is theirs, and found as an erasure finds it: by the event, which tells who said it. How others
 * there reacted to it is not: a message does not keep who did.
 */
const exportSql = `
  WITH threads AS MATERIALIZED (
    SELECT v.*, a.name AS account_name, a.provider FROM conversations v
    JOIN accounts a ON a.workspace_id = v.workspace_id AND a.id = v.account_id
    WHERE v.workspace_id = $1 AND v.contact_id = $2 AND v.group_id IS NULL
  ), named AS MATERIALIZED (
    SELECT ltrim(value, '+') AS value FROM identities WHERE workspace_id = $1 AND contact_id = $2 AND kind <> 'username'
    UNION SELECT ltrim(a->>'value', '+') FROM threads t CROSS JOIN LATERAL jsonb_array_elements(t.address) AS a
      WHERE a->>'kind' <> 'username'
  ), said AS MATERIALIZED (
    SELECT m.*, NULL AS group_id FROM messages m
    WHERE m.workspace_id = $1 AND m.conversation_id IN (SELECT id FROM threads)
    UNION ALL
    SELECT m.*, g.group_id FROM conversations g
    JOIN messages m ON m.workspace_id = $1 AND m.conversation_id = g.id AND m.direction = 'in'
    JOIN events e ON e.workspace_id = $1 AND e.id = m.event_id
    WHERE g.workspace_id = $1 AND g.group_id IS NOT NULL AND EXISTS (
      SELECT FROM jsonb_path_query(e.payload, 'lax $.customer[*].value') AS n (value)
      JOIN named ON named.value = ltrim(n.value #>> '{}', '+'))
  )
  SELECT 'contact' AS part, json_build_object('id', ${prefixed('con', 'c.id')}, 'name', c.name, 'language', c.language,
      'createdAt', c.created_at, 'facts', c.metadata - 'merges' - 'mergedInto')::text AS document
    FROM contacts c WHERE c.workspace_id = $1 AND c.id = $2
  UNION ALL SELECT 'identity', json_build_object('kind', kind, 'value', value, 'since', created_at)::text
    FROM identities WHERE workspace_id = $1 AND contact_id = $2
  UNION ALL SELECT 'consent', json_build_object('channel', channel, 'topic', topic, 'choice', choice, 'source', source,
      'evidence', evidence, 'at', at)::text
    FROM consents WHERE workspace_id = $1 AND contact_id = $2
  UNION ALL SELECT 'conversation', json_build_object('id', ${prefixed('cnv', 't.id')},
      'accountId', ${prefixed('acc', 't.account_id')}, 'account', t.account_name, 'provider', t.provider,
      'address', t.address, 'session', t.session, 'handler', t.handler, 'createdAt', t.created_at,
      'lastInboundAt', t.last_inbound_at, 'closedAt', t.closed_at)::text
    FROM threads t
  UNION ALL SELECT 'message', json_build_object('id', ${prefixed('msg', 's.id')},
      'conversationId', ${prefixed('cnv', 's.conversation_id')}, 'groupId', s.group_id, 'direction', s.direction, 'author', s.author,
      'type', s.type, 'content', s.content, 'status', s.status, 'statusAt', s.status_at, 'error', s.error,
      'providerMessageId', s.provider_message_id, 'replyTo', s.reply_to, 'reactions', CASE WHEN s.group_id IS NULL THEN s.reactions END,
      'occurredAt', s.occurred_at, 'editedAt', s.edited_at, 'deletedAt', s.deleted_at)::text
    FROM said s
  UNION ALL SELECT DISTINCT 'delivery', to_json(${prefixed('dlv', 'e.delivery_id')})::text
    FROM events e WHERE e.workspace_id = $1 AND e.id IN (
      SELECT s.event_id FROM said s WHERE s.event_id IS NOT NULL
      UNION SELECT r.event_id FROM receipts r JOIN said s ON s.id = r.message_id
        WHERE r.workspace_id = $1 AND r.event_id IS NOT NULL)`;

export async function contactExists(tx: WorkspaceTx, contactId: ContactId): Promise<boolean> {
  const rows = await tx.query('SELECT FROM contacts WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL', [
    tx.workspaceId,
    contactId,
  ]);
  return rows.length > 0;
}

/** Calls `took` with each batch; stops early when it answers false. */
export async function readExport(
  tx: WorkspaceTx,
  contactId: ContactId,
  { rowsPerFetch, took }: { readonly rowsPerFetch: number; readonly took: (parts: readonly ExportPart[]) => boolean },
): Promise<boolean> {
  await tx.query(`DECLARE contact_export NO SCROLL CURSOR FOR ${exportSql}`, [tx.workspaceId, contactId]);
  for (;;) {
    const parts = await tx.query<ExportPart>(`FETCH ${rowsPerFetch} FROM contact_export`);
    if (parts.length > 0 && !took(parts)) return false;
    if (parts.length < rowsPerFetch) return true;
  }
}
