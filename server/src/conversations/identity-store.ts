import type { AccountId, ContactId, ConversationId, Identity } from '@switchyard/contract';
import type { Row, WorkspaceTx } from '#storage';
import type { HeldIdentity, IdentityKey } from './identify.ts';
import { storableJson } from './storable.ts';

/** A held identity, with what the hot path needs of its contact and of the contact's open conversation. */
export interface KnownRow extends Row, HeldIdentity {
  name: string | null;
  profileName: string | null;
  conversationId: ConversationId | null;
  address: readonly Identity[] | null;
}

/** Whom to look for, on which account; no usernames. */
export interface Sought {
  readonly accountId: AccountId;
  readonly keys: readonly IdentityKey[];
}

/** For each: every identity of every contact that holds one of its keys. One statement for all. */
export async function findKnown(tx: WorkspaceTx, sought: readonly Sought[]): Promise<readonly (readonly KnownRow[])[]> {
  const asked = sought.flatMap(({ accountId, keys }, nth) => keys.map((key) => ({ ...key, nth, accountId })));
  const rows = await tx.query<KnownRow & { nth: number }>(
    `SELECT w.nth, i.kind, i.scope, i.value, i.contact_id AS "contactId", c.created_at AS "contactSince",
            c.deleted_at IS NOT NULL AS "isContactDeleted", c.name, c.metadata->>'profileName' AS "profileName",
            v.id AS "conversationId", v.address
       FROM (SELECT DISTINCT a.nth, a.account_id, k.contact_id
               FROM unnest($2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[]) AS a (nth, account_id, kind, scope, value)
               JOIN identities k ON k.workspace_id = $1 AND k.kind = a.kind AND k.scope = a.scope AND k.value = a.value) AS w
       JOIN identities i ON i.workspace_id = $1 AND i.contact_id = w.contact_id
       JOIN contacts c ON c.workspace_id = $1 AND c.id = w.contact_id
       LEFT JOIN conversations v ON v.workspace_id = $1 AND v.account_id = w.account_id AND v.contact_id = w.contact_id
        AND v.group_id IS NULL AND v.closed_at IS NULL`,
    [tx.workspaceId, asked.map(({ nth }) => nth), asked.map(({ accountId }) => accountId), ...columnsOf(asked)],
    'conversations_find_known',
  );
  const found = Map.groupBy(rows, (row) => row.nth);
  return sought.map((_, nth) => found.get(nth) ?? []);
}

/** A customer whom nobody knows: contact, identities and open conversation to be made. */
export interface Newcomer {
  readonly contactId: ContactId;
  readonly conversationId: ConversationId;
  readonly accountId: AccountId;
  readonly name: string | null;
  readonly address: readonly Identity[];
  readonly keys: readonly IdentityKey[];
}

/**
 * Makes them all in one statement, in the order of their keys. Gives those whose keys were all free; of the others, whom
 * another transaction made first, nothing stays.
 */
export async function insertNewcomers(
  tx: WorkspaceTx,
  newcomers: readonly Newcomer[],
): Promise<ReadonlySet<ContactId>> {
  if (newcomers.length === 0) return new Set();
  const keys = newcomers.flatMap(({ contactId, keys: own }) => own.map((key) => ({ contactId, ...key })));
  const rows = await tx.query<Row & { contactId: ContactId; held: number }>(
    `WITH given AS MATERIALIZED (
       SELECT * FROM json_to_recordset($2) AS g (
         "contactId" uuid, "conversationId" uuid, "accountId" uuid, name text, address jsonb)),
     people AS (
       INSERT INTO contacts (workspace_id, id, name, metadata)
       SELECT $1, "contactId", name, CASE WHEN name IS NULL THEN '{}' ELSE jsonb_build_object('profileName', name) END
       FROM given),
     held AS (
       INSERT INTO identities (workspace_id, contact_id, kind, scope, value)
       SELECT $1, k."contactId", k.kind, k.scope, k.value
       FROM json_to_recordset($3) AS k ("contactId" uuid, kind text, scope text, value text)
       ORDER BY k.kind, k.scope, k.value
       ON CONFLICT (workspace_id, kind, scope, value) DO NOTHING RETURNING contact_id),
     opened AS (
       INSERT INTO conversations (workspace_id, id, account_id, contact_id, address)
       SELECT $1, "conversationId", "accountId", "contactId", address FROM given)
     SELECT contact_id AS "contactId", count(*)::int AS held FROM held GROUP BY contact_id`,
    [tx.workspaceId, storableJson(newcomers), storableJson(keys)],
    'conversations_insert_newcomers',
  );
  const held = new Map(rows.map((row) => [row.contactId, row.held]));
  const [made, late] = [true, false].map((is) =>
    newcomers.filter(({ contactId, keys: own }) => (held.get(contactId) === own.length) === is),
  ) as [Newcomer[], Newcomer[]];
  for (const { conversationId, contactId } of late) await dropNewcomer(tx, conversationId, contactId);
  return new Set(made.map(({ contactId }) => contactId));
}

async function dropNewcomer(tx: WorkspaceTx, conversationId: ConversationId, contactId: ContactId): Promise<void> {
  await tx.query('DELETE FROM conversations WHERE workspace_id = $1 AND id = $2', [tx.workspaceId, conversationId]);
  await dropContact(tx, contactId);
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
