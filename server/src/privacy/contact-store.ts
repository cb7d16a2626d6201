/** SQL of the moment of an erasure: who they are, and out of sight. */
import type { ContactId, ConversationId, ErasureId } from '@switchyard/contract';
import { moves } from '#outbox';
import type { WorkspaceTx } from '#storage';
import { minIdentityLength } from './mask-body.ts';

export interface Subject {
  /** The contact, and those that were merged into it. */
  readonly contactIds: readonly ContactId[];
  /** Their own threads, open and closed; a group's thread is not theirs. */
  readonly conversationIds: readonly ConversationId[];
  /** By which raw records know them, without a leading plus. */
  readonly identityValues: readonly string[];
}

/** Locks the contact. null: there is none, or it is deleted. */
export async function findSubject(tx: WorkspaceTx, contactId: ContactId): Promise<Subject | null> {
  const [contact] = await tx.query(
    'SELECT id FROM contacts WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE',
    [tx.workspaceId, contactId],
  );
  if (!contact) return null;
  const [subject] = await tx.query<Subject & Record<string, unknown>>(
    `WITH RECURSIVE merged AS (
       SELECT id, metadata FROM contacts WHERE workspace_id = $1 AND id = $2
       UNION ALL
       SELECT c.id, c.metadata FROM merged m
         CROSS JOIN LATERAL jsonb_array_elements(COALESCE(m.metadata->'merges', '[]')) AS record
         JOIN contacts c ON c.workspace_id = $1 AND c.id = (record->>'contactId')::uuid
     ), threads AS (
       SELECT v.id, v.address FROM conversations v
        WHERE v.workspace_id = $1 AND v.contact_id IN (SELECT id FROM merged) AND v.group_id IS NULL
     ), named AS (
       SELECT ltrim(i.value, '+') AS value FROM identities i
        WHERE i.workspace_id = $1 AND i.contact_id IN (SELECT id FROM merged) AND i.kind <> 'username'
       UNION
       SELECT ltrim(a->>'value', '+') FROM threads t CROSS JOIN LATERAL jsonb_array_elements(t.address) AS a
        WHERE a->>'kind' <> 'username'
     )
     SELECT (SELECT array_agg(id) FROM merged) AS "contactIds",
       COALESCE((SELECT array_agg(id) FROM threads), '{}') AS "conversationIds",
       COALESCE((SELECT array_agg(value) FROM named WHERE length(value) >= ${minIdentityLength}), '{}') AS "identityValues"`,
    [tx.workspaceId, contactId],
  );
  return subject ?? null;
}

export async function insertErasure(
  tx: WorkspaceTx,
  erasure: { readonly id: ErasureId; readonly contactId: ContactId; readonly requestedBy: string },
  subject: Subject,
): Promise<void> {
  await tx.query(
    `INSERT INTO erasures (workspace_id, id, contact_id, contact_ids, conversation_ids, identity_values, requested_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      ...[tx.workspaceId, erasure.id, erasure.contactId, subject.contactIds, subject.conversationIds],
      ...[subject.identityValues, erasure.requestedBy],
    ],
  );
}

/**
 * From this commit on nobody finds them. What is queued for them does not leave any more; a turn that is under way loses
 * its lease, and with it everything that it was about to write. Gives how many identities were forgotten.
 */
export async function hide(tx: WorkspaceTx, { contactIds, conversationIds }: Subject): Promise<number> {
  const values = [tx.workspaceId, conversationIds];
  await tx.query(
    `UPDATE conversations SET closed_at = COALESCE(closed_at, now()), address = '[]', session = '{}',
       last_message_text = NULL, unread_count = 0, next_due_at = NULL, lease_epoch = lease_epoch + 1, leased_until = '-infinity'
      WHERE workspace_id = $1 AND id = ANY($2::uuid[])`,
    values,
  );
  await tx.query(
    `UPDATE events SET state = 'ignored', reason = 'erased', settled_at = clock_timestamp()
      WHERE workspace_id = $1 AND conversation_id = ANY($2::uuid[]) AND state = 'pending'`,
    values,
  );
  await tx.query(
    `UPDATE outbox SET state = $3, settled_at = now(), leased_until = now()
      WHERE workspace_id = $1 AND conversation_id = ANY($2::uuid[]) AND state = ANY($4::text[])`,
    [...values, moves.cancel.to, moves.cancel.from],
  );
  await tx.query(
    `UPDATE contacts SET deleted_at = COALESCE(deleted_at, now()), updated_at = now(), name = NULL, language = NULL,
       metadata = '{"isErased": true}' WHERE workspace_id = $1 AND id = ANY($2::uuid[])`,
    [tx.workspaceId, contactIds],
  );
  const forgotten = await tx.query(
    'DELETE FROM identities WHERE workspace_id = $1 AND contact_id = ANY($2::uuid[]) RETURNING kind',
    [tx.workspaceId, contactIds],
  );
  return forgotten.length;
}
