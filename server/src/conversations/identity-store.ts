import type { AccountId, ContactId, ConversationId, Identity } from '@switchyard/contract';
import type { Row, WorkspaceTx } from '#storage';
import type { HeldIdentity, IdentityKey } from './identify.ts';

/** A held identity, with what the hot path needs of its contact and of the contact's open conversation. */
export interface KnownRow extends Row, HeldIdentity {
  name: string | null;
  profileName: string | null;
  conversationId: ConversationId | null;
  address: readonly Identity[] | null;
}

/** Every identity of every contact that holds one of `keys` (give no usernames). */
export async function findKnown(
  tx: WorkspaceTx,
  accountId: AccountId,
  keys: readonly IdentityKey[],
): Promise<readonly KnownRow[]> {
  return tx.query<KnownRow>(
    `SELECT i.kind, i.scope, i.value, i.contact_id AS "contactId", c.created_at AS "contactSince",
            c.deleted_at IS NOT NULL AS "isContactDeleted", c.name, c.metadata->>'profileName' AS "profileName",
            v.id AS "conversationId", v.address
       FROM identities i
       JOIN contacts c ON c.workspace_id = i.workspace_id AND c.id = i.contact_id
       LEFT JOIN conversations v ON v.workspace_id = i.workspace_id AND v.account_id = $2 AND v.contact_id = i.contact_id
        AND v.group_id IS NULL AND v.closed_at IS NULL
      WHERE i.workspace_id = $1 AND i.contact_id IN (
        SELECT k.contact_id FROM unnest($3::text[], $4::text[], $5::text[]) AS w (kind, scope, value)
          JOIN identities k ON k.workspace_id = $1 AND k.kind = w.kind AND k.scope = w.scope AND k.value = w.value)`,
    [tx.workspaceId, accountId, ...columnsOf(keys)],
    'conversations_find_known',
  );
}

/** In the order of their ids, so that two merges cannot wait for each other. */
export async function lockContacts(tx: WorkspaceTx, ids: readonly ContactId[]): Promise<void> {
  await tx.query('SELECT id FROM contacts WHERE workspace_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR UPDATE', [
    tx.workspaceId,
    ids,
  ]);
}

export async function insertContact(tx: WorkspaceTx, id: ContactId, profileName: string | null): Promise<void> {
  await tx.query(
    `INSERT INTO contacts (workspace_id, id, name, metadata)
     VALUES ($1, $2, $3::text, CASE WHEN $3 IS NULL THEN '{}' ELSE jsonb_build_object('profileName', $3) END)`,
    [tx.workspaceId, id, profileName],
    'conversations_insert_contact',
  );
}

/** Only for a contact that this transaction made and that lost a race for its identities. */
export async function dropContact(tx: WorkspaceTx, id: ContactId): Promise<void> {
  await tx.query('DELETE FROM identities WHERE workspace_id = $1 AND contact_id = $2', [tx.workspaceId, id]);
  await tx.query('DELETE FROM contacts WHERE workspace_id = $1 AND id = $2', [tx.workspaceId, id]);
}

/** How many were taken: fewer than given when another transaction was first (this one waits for its commit). */
export async function addIdentities(
  tx: WorkspaceTx,
  contactId: ContactId,
  keys: readonly IdentityKey[],
): Promise<number> {
  if (keys.length === 0) return 0;
  const rows = await tx.query(
    `INSERT INTO identities (workspace_id, contact_id, kind, scope, value)
     SELECT $1, $2, k.kind, k.scope, k.value FROM unnest($3::text[], $4::text[], $5::text[]) AS k (kind, scope, value)
     ON CONFLICT (workspace_id, kind, scope, value) DO NOTHING
     RETURNING kind`,
    [tx.workspaceId, contactId, ...columnsOf(keys)],
    'conversations_add_identities',
  );
  return rows.length;
}

/** A username belongs to whom it was last seen with. */
export async function holdUsernames(
  tx: WorkspaceTx,
  contactId: ContactId,
  keys: readonly IdentityKey[],
): Promise<void> {
  await tx.query(
    `INSERT INTO identities (workspace_id, contact_id, kind, scope, value)
     SELECT $1, $2, k.kind, k.scope, k.value FROM unnest($3::text[], $4::text[], $5::text[]) AS k (kind, scope, value)
     ON CONFLICT (workspace_id, kind, scope, value) DO UPDATE SET contact_id = EXCLUDED.contact_id
       WHERE identities.contact_id <> EXCLUDED.contact_id`,
    [tx.workspaceId, contactId, ...columnsOf(keys)],
    'conversations_hold_usernames',
  );
}

/**
 * A number passes from one person to another. Refusals of messages go along as a copy: they were given for the number,
 * and the newcomer has not agreed to anything.
 */
export async function takeIdentity(
  tx: WorkspaceTx,
  contactId: ContactId,
  key: IdentityKey & { readonly from: ContactId },
): Promise<void> {
  const values = [tx.workspaceId, contactId, key.from];
  await tx.query(
    `UPDATE identities SET contact_id = $2
      WHERE workspace_id = $1 AND contact_id = $3 AND kind = $4 AND scope = $5 AND value = $6`,
    [...values, key.kind, key.scope, key.value],
  );
  await tx.query(
    `INSERT INTO consents (workspace_id, id, contact_id, channel, topic, choice, source, evidence, at)
     SELECT $1, gen_random_uuid(), $2, channel, topic, 'out', 'number-passed-on', id::text, at
       FROM (SELECT DISTINCT ON (channel, topic) * FROM consents WHERE workspace_id = $1 AND contact_id = $3
              ORDER BY channel, topic, at DESC, id DESC) AS latest
      WHERE choice = 'out'
        AND NOT EXISTS (SELECT FROM consents h WHERE h.workspace_id = $1 AND h.contact_id = $2 AND h.evidence = latest.id::text)`,
    values,
  );
}

/** The name follows the profile until a person gives another. */
export async function updateProfile(tx: WorkspaceTx, contactId: ContactId, profileName: string): Promise<void> {
  await tx.query(
    `UPDATE contacts SET
        name = CASE WHEN name IS NULL OR name = metadata->>'profileName' THEN $3::text ELSE name END,
        metadata = metadata || jsonb_build_object('profileName', $3::text), updated_at = now()
      WHERE workspace_id = $1 AND id = $2`,
    [tx.workspaceId, contactId, profileName],
    'conversations_update_profile',
  );
}

function columnsOf(keys: readonly IdentityKey[]): readonly [readonly string[], readonly string[], readonly string[]] {
  return [keys.map((key) => key.kind), keys.map((key) => key.scope), keys.map((key) => key.value)];
}
