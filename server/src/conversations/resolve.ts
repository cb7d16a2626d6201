/**
 * From what a delivery says of a customer to their contact and their open conversation. A known customer costs one
 * statement. Two transactions that meet on one new identity are told apart by its unique key: the later one waits for
 * the earlier one's commit and then finds its contact.
 */
import type { ContactId, Identity } from '@switchyard/contract';
import { newId } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { findGroup, openConversation, openGroup } from './conversation-store.ts';
import type { Correspondent, OpenConversation } from './conversations.ts';
import { currentAddress, type IdentityKey, identityKeys, isMatching, type Recognition, recognise } from './identify.ts';
import {
  addIdentities,
  dropContact,
  findKnown,
  holdUsernames,
  insertContact,
  type KnownRow,
  lockContacts,
  takeIdentity,
  updateProfile,
} from './identity-store.ts';
import { mergeContacts } from './merge-store.ts';
import { storableText } from './storable.ts';

/** Each round is lost to a transaction that committed; more than a few in a row is a mistake of ours. */
const maxRounds = 5;
const maxNameLength = 200;
/** No provider's group is called so: theirs are numbers with a host. */
const namelessGroup = 'nobody-named';

export async function resolveConversation(tx: WorkspaceTx, correspondent: Correspondent): Promise<OpenConversation> {
  const keys = identityKeys(correspondent.accountId, correspondent.customer);
  const profileName = nameOf(correspondent);
  if (!keys.some(isMatching)) return resolveNameless(tx, correspondent, profileName);
  for (let round = 0; round < maxRounds; round += 1) {
    const contact = await resolveContact(tx, correspondent, keys);
    if (contact === null) continue;
    if (profileName !== null && contact.known !== null && contact.known.profileName !== profileName)
      await updateProfile(tx, contact.id, profileName);
    const conversationId = await conversationOf(tx, correspondent, contact);
    if (conversationId !== null) return { conversationId, contactId: contact.id };
  }
  throw new Error('broken promise: a customer is resolved within a few rounds');
}

/**
 * Some events name nobody: a group's message whose author is not told, Instagram's mentions (ids of media only), a
 * companion's revocation. The group's conversation stands for whoever wrote; without a group, one conversation of the
 * account keeps what names nobody.
 */
async function resolveNameless(
  tx: WorkspaceTx,
  { accountId, groupId }: Correspondent,
  profileName: string | null,
): Promise<OpenConversation> {
  const group = storableText(groupId ?? namelessGroup);
  const known = await findGroup(tx, accountId, group);
  if (known) return known;
  const contactId = newId('contact');
  await insertContact(tx, contactId, profileName);
  return { conversationId: await openGroup(tx, accountId, contactId, group), contactId };
}

interface ResolvedContact {
  readonly id: ContactId;
  /** What was known of them when nothing had to change; null: look again. */
  readonly known: KnownRow | null;
}

/** null: lost a race; the caller looks again. */
export async function resolveContact(
  tx: WorkspaceTx,
  correspondent: Correspondent,
  keys: readonly IdentityKey[],
): Promise<ResolvedContact | null> {
  const matching = keys.filter(isMatching);
  const [known = []] = await findKnown(tx, [{ accountId: correspondent.accountId, keys: matching }]);
  const recognition = recognise(matching, known);
  const usernames = keys.filter((key) => !isMatching(key) && !isHeld(known, key, recognition.contactId));
  if (recognition.contactId === null) return makeContact(tx, nameOf(correspondent), recognition, usernames);
  if (recognition.merge.length > 0 || recognition.take.length > 0) return rearrange(tx, correspondent, matching, known);
  if (recognition.add.length > 0 && !(await addAll(tx, recognition.contactId, recognition.add))) return null;
  if (usernames.length > 0) await holdUsernames(tx, recognition.contactId, usernames);
  return { id: recognition.contactId, known: known.find((row) => row.contactId === recognition.contactId) ?? null };
}

async function makeContact(
  tx: WorkspaceTx,
  profileName: string | null,
  recognition: Recognition,
  usernames: readonly IdentityKey[],
): Promise<ResolvedContact | null> {
  const id = newId('contact');
  await insertContact(tx, id, profileName);
  if (!(await addAll(tx, id, recognition.add))) {
    await dropContact(tx, id);
    return null;
  }
  for (const key of recognition.take) await takeIdentity(tx, id, key);
  if (usernames.length > 0) await holdUsernames(tx, id, usernames);
  return { id, known: null };
}

/** Locks everyone concerned, looks again, and does what is then still right; null: the round begins anew. */
async function rearrange(
  tx: WorkspaceTx,
  correspondent: Correspondent,
  keys: readonly IdentityKey[],
  seen: readonly KnownRow[],
): Promise<null> {
  const concerned = [...new Set(seen.map((row) => row.contactId))];
  await lockContacts(tx, concerned);
  const [known = []] = await findKnown(tx, [{ accountId: correspondent.accountId, keys }]);
  const { contactId, merge, take } = recognise(keys, known);
  const isLocked = known.every((row) => concerned.includes(row.contactId));
  if (contactId === null || !isLocked) return null;
  for (const other of merge) await mergeContacts(tx, contactId, other);
  for (const key of take) await takeIdentity(tx, contactId, key);
  return null;
}

async function addAll(tx: WorkspaceTx, contactId: ContactId, keys: readonly IdentityKey[]): Promise<boolean> {
  return (await addIdentities(tx, contactId, keys)) === keys.length;
}

/** null: the contact was merged away meanwhile. */
async function conversationOf(tx: WorkspaceTx, correspondent: Correspondent, contact: ResolvedContact) {
  if (correspondent.groupId !== undefined)
    return openGroup(tx, correspondent.accountId, contact.id, storableText(correspondent.groupId));
  const known = contact.known;
  const address = currentAddress(known?.address ?? [], correspondent.customer);
  if (known?.conversationId && isSameAddress(known.address ?? [], address)) return known.conversationId;
  return openConversation(tx, correspondent.accountId, contact.id, address);
}

export function isSameAddress(a: readonly Identity[], b: readonly Identity[]): boolean {
  return a.length === b.length && a.every((one, i) => one.kind === b[i]?.kind && one.value === b[i]?.value);
}

export function isHeld(known: readonly KnownRow[], key: IdentityKey, contactId: ContactId | null): boolean {
  return known.some((row) => row.contactId === contactId && row.kind === key.kind && row.value === key.value);
}

export function nameOf(correspondent: Correspondent): string | null {
  const name = storableText(correspondent.profileName ?? '').trim();
  return name === '' ? null : Array.from(name).slice(0, maxNameLength).join('');
}
