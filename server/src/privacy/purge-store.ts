/** SQL of the slices of a purge that run in the contact's workspace. Each is one statement, so it is done or not done. */
import type { WorkspaceTx } from '#storage';
import type { Purging } from './erasure-store.ts';
import type { ErasureCounts } from './privacy.ts';

/**
 * Some messages with all that hangs on them. Those on their way out just now are left for the next slice: their outcome
 * is about to be written. Their provider ids stay as hashes.
 */
export async function purgeMessages(tx: WorkspaceTx, { conversationIds }: Purging, limit: number) {
  const [row] = await tx.query<{ counts: ErasureCounts; isEmpty: boolean }>(
    `WITH slice AS MATERIALIZED (
       SELECT m.id, m.account_id, m.provider_message_id, o.id AS outbound_id FROM messages m
       LEFT JOIN outbox o ON o.workspace_id = m.workspace_id AND o.message_id = m.id
       WHERE m.workspace_id = $1 AND m.conversation_id = ANY($2::uuid[]) AND o.state IS DISTINCT FROM 'sending' LIMIT $3
     ), tombstones AS (
       INSERT INTO erased_messages (workspace_id, account_id, id_hash)
       SELECT DISTINCT $1::uuid, account_id, sha256(convert_to(provider_message_id, 'UTF8')) FROM slice
       WHERE provider_message_id IS NOT NULL ON CONFLICT DO NOTHING
     ), attempts_gone AS (
       DELETE FROM attempts WHERE workspace_id = $1 AND outbound_id IN (SELECT outbound_id FROM slice) RETURNING id
     ), letters_gone AS (
       DELETE FROM dead_letters WHERE workspace_id = $1 AND outbound_id IN (SELECT outbound_id FROM slice) RETURNING id
     ), receipts_gone AS (
       DELETE FROM receipts WHERE workspace_id = $1 AND message_id IN (SELECT id FROM slice) RETURNING id
     ), outbox_gone AS (
       DELETE FROM outbox WHERE workspace_id = $1 AND id IN (SELECT outbound_id FROM slice) RETURNING id
     ), gone AS (
       DELETE FROM messages WHERE workspace_id = $1 AND id IN (SELECT id FROM slice) RETURNING id
     )
     SELECT json_build_object('messages', (SELECT count(*) FROM gone), 'outbound', (SELECT count(*) FROM outbox_gone),
         'attempts', (SELECT count(*) FROM attempts_gone), 'receipts', (SELECT count(*) FROM receipts_gone),
         'deadLetters', (SELECT count(*) FROM letters_gone)) AS counts,
       NOT EXISTS (SELECT FROM slice) AS "isEmpty"`,
    [tx.workspaceId, conversationIds, limit],
    'privacy-purge-messages',
  );
  return { counts: row?.counts ?? {}, isEmpty: row?.isEmpty ?? true };
}

/** Is one of theirs on its way to the provider at this moment? */
export async function isSending(tx: WorkspaceTx, { conversationIds }: Purging): Promise<boolean> {
  const rows = await tx.query(
    `SELECT FROM outbox WHERE workspace_id = $1 AND conversation_id = ANY($2::uuid[]) AND state = 'sending' LIMIT 1`,
    [tx.workspaceId, conversationIds],
  );
  return rows.length > 0;
}

/**
 * The next events of the workspace, in the order of their ids: those of the contact go, with their turns and dead letters
 * and what they said in groups. Their keys stay, marked, so that a redelivery finds them taken; the deliveries that they
 * came in are written down to be masked. What the same person wrote since is a new contact's, and stays.
 *
 * There is no index by person on this table, which every message pays for; an erasure walks over it instead.
 */
export async function purgeEvents(tx: WorkspaceTx, purging: Purging, limit: number) {
  const [row] = await tx.query<{ counts: ErasureCounts; last: string | null }>(
    `WITH slice AS MATERIALIZED (
       SELECT id, delivery_id, account_id, conversation_id, kind, key, payload, created_at FROM events
       WHERE workspace_id = $1 AND ($5::uuid IS NULL OR id > $5) ORDER BY id LIMIT $6
     ), matched AS MATERIALIZED (
       SELECT s.id, s.delivery_id, s.account_id, s.kind, s.key, s.payload->>'providerMessageId' AS message_id,
         named.identities
       FROM slice s CROSS JOIN LATERAL (
         SELECT COALESCE(array_agg(ltrim(n.value #>> '{}', '+')) FILTER (WHERE n.value IS NOT NULL), '{}') AS identities FROM
           (SELECT jsonb_path_query(s.payload, 'lax $.customer[*].value')
            UNION ALL SELECT jsonb_path_query(s.payload, 'lax $.opt.customer[*].value')) AS n (value)) AS named
       WHERE s.conversation_id = ANY($2::uuid[]) OR (named.identities && $3::text[] AND s.created_at <= $4)
     ), keys AS (
       INSERT INTO event_keys (workspace_id, account_id, key_hash, event_id, erased_at)
       SELECT DISTINCT ON (m.account_id, m.kind, m.key) $1::uuid, m.account_id,
         sha256(convert_to(a.provider || ':' || m.kind || ':' || m.key, 'UTF8')), m.id, now()
       FROM matched m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id
       ON CONFLICT (workspace_id, account_id, key_hash) DO UPDATE SET erased_at = now()
     ), tombstones AS (
       INSERT INTO erased_messages (workspace_id, account_id, id_hash)
       SELECT DISTINCT $1::uuid, account_id, sha256(convert_to(message_id, 'UTF8')) FROM matched
       WHERE kind = 'message' AND message_id IS NOT NULL ON CONFLICT DO NOTHING
     ), bodies AS (
       INSERT INTO erasure_bodies (workspace_id, erasure_id, delivery_id, identity_values)
       SELECT $1::uuid, $7::uuid, m.delivery_id, $3::text[] FROM matched m GROUP BY m.delivery_id ON CONFLICT DO NOTHING
     ), letters_gone AS (
       DELETE FROM dead_letters l USING matched m
       WHERE l.workspace_id = $1 AND l.delivery_id = m.delivery_id AND l.event_id = m.id RETURNING l.id
     ), turns_gone AS (
       DELETE FROM turns t USING matched m WHERE t.workspace_id = $1 AND t.event_id = m.id RETURNING t.id
     ), said_in_groups AS (
       DELETE FROM messages x USING matched m, conversations g
       WHERE x.workspace_id = $1 AND x.account_id = m.account_id AND x.provider_message_id = m.message_id
         AND m.kind = 'message' AND x.direction = 'in'
         AND g.workspace_id = $1 AND g.id = x.conversation_id AND g.group_id IS NOT NULL
       RETURNING x.id, x.conversation_id, x.text
     ), previews AS (
       UPDATE conversations g SET last_message_text = NULL FROM said_in_groups s
       WHERE g.workspace_id = $1 AND g.id = s.conversation_id AND starts_with(s.text, g.last_message_text)
     ), gone AS (
       DELETE FROM events e USING matched m WHERE e.workspace_id = $1 AND e.id = m.id RETURNING e.id, e.delivery_id
     ), ${countErased('gone')}
     SELECT json_build_object('events', (SELECT count(*) FROM gone), 'turns', (SELECT count(*) FROM turns_gone),
         'deadLetters', (SELECT count(*) FROM letters_gone), 'messages', (SELECT count(*) FROM said_in_groups)) AS counts,
       (SELECT id FROM slice ORDER BY id DESC LIMIT 1) AS last`,
    [
      ...[tx.workspaceId, purging.conversationIds, purging.identityValues, purging.requestedAt, purging.cursor],
      ...[limit, purging.id],
    ],
    'privacy-purge-events',
  );
  return { counts: row?.counts ?? {}, last: row?.last ?? null };
}

/**
 * A part of a statement that deletes events: how many went of each delivery, for the ledger, which would take them for a
 * loss. `gone` gives the delivery of each.
 */
export function countErased(gone: string): string {
  return `counted AS (
       INSERT INTO erased_events AS known (workspace_id, delivery_id, event_count)
       SELECT $1::uuid, delivery_id, count(*) FROM ${gone} GROUP BY delivery_id ORDER BY delivery_id
       ON CONFLICT (workspace_id, delivery_id) DO UPDATE SET event_count = known.event_count + EXCLUDED.event_count)`;
}

/** null when a message has come to one of their conversations meanwhile: then it goes first. */
export async function purgePeople(tx: WorkspaceTx, purging: Purging): Promise<ErasureCounts | null> {
  const values = [tx.workspaceId, purging.conversationIds];
  const left = await tx.query(
    'SELECT FROM messages WHERE workspace_id = $1 AND conversation_id = ANY($2::uuid[]) LIMIT 1',
    values,
  );
  if (left.length > 0) return null;
  const consents = await tx.query(
    'DELETE FROM consents WHERE workspace_id = $1 AND contact_id = ANY($2::uuid[]) RETURNING id',
    [tx.workspaceId, purging.contactIds],
  );
  const conversations = await tx.query(
    'DELETE FROM conversations WHERE workspace_id = $1 AND id = ANY($2::uuid[]) RETURNING id',
    values,
  );
  const numberChecks = await tx.query(
    `DELETE FROM number_checks WHERE workspace_id = $1 AND account_id IN (SELECT id FROM accounts WHERE workspace_id = $1)
       AND phone = ANY($2::text[]) RETURNING phone`,
    [tx.workspaceId, purging.identityValues.flatMap((value) => [value, `+${value}`])],
  );
  return { consents: consents.length, conversations: conversations.length, numberChecks: numberChecks.length };
}
