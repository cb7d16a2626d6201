/**
 * Many correspondents at once: those who are known and have not changed, and those whom nobody knows, cost two statements
 * together. Whoever wants more than that (a merge, a group, a new address) is resolved alone, after them.
 */
import type { ContactId } from '@switchyard/contract';
import { newId } from '#kernel';
import type { WorkspaceTx } from '#storage';
import type { Correspondent, OpenConversation } from './conversations.ts';
import { currentAddress, type IdentityKey, identityKeys, isMatching, nameOfKey, recognise } from './identify.ts';
import { findKnown, insertNewcomers, type KnownRow, type Newcomer } from './identity-store.ts';
import { isHeld, isSameAddress, nameOf, resolveConversation } from './resolve.ts';

interface Asked {
  readonly correspondent: Correspondent;
  readonly keys: readonly IdentityKey[];
  readonly profileName: string | null;
}

/** One for each, in their order. */
export async function resolveConversations(
  tx: WorkspaceTx,
  correspondents: readonly Correspondent[],
): Promise<readonly OpenConversation[]> {
  const all = Promise.resolve(correspondents.map(() => true));
  return (await resolveWanted(tx, correspondents, all)).flatMap((one) => one ?? []);
}

/** null for those that turn out not to be wanted; which ones may be found out while they are looked for. */
export async function resolveWanted(
  tx: WorkspaceTx,
  correspondents: readonly Correspondent[],
  wanted: Promise<readonly boolean[]>,
): Promise<readonly (OpenConversation | null)[]> {
  const asked = correspondents.map(toAsked);
  const sought = asked.map(({ correspondent, keys }) => ({
    accountId: correspondent.accountId,
    keys: keys.filter(isMatching),
  }));
  const [known, isWanted] = await Promise.all([findKnown(tx, sought), wanted]);
  const made = await makeNewcomers(
    tx,
    asked.filter((one, index) => isWanted[index] && isUnknown(one, known[index] ?? [])),
  );
  const resolved: (OpenConversation | null)[] = [];
  for (const [index, one] of asked.entries()) {
    if (!isWanted[index]) {
      resolved.push(null);
      continue;
    }
    const atOnce = unchanged(one, known[index] ?? []) ?? made.get(signature(one));
    resolved.push(atOnce ?? (await resolveConversation(tx, one.correspondent)));
  }
  return resolved;
}

function toAsked(correspondent: Correspondent): Asked {
  const keys = identityKeys(correspondent.accountId, correspondent.customer);
  return { correspondent, keys, profileName: nameOf(correspondent) };
}

/** The open conversation of somebody of whom nothing new was said. */
function unchanged({ correspondent, keys, profileName }: Asked, known: readonly KnownRow[]): OpenConversation | null {
  if (correspondent.groupId !== undefined) return null;
  const { contactId, merge, take, add } = recognise(keys.filter(isMatching), known);
  if (contactId === null || merge.length + take.length + add.length > 0) return null;
  const row = known.find((one) => one.contactId === contactId);
  const isAllHeld = keys.every((key) => isMatching(key) || isHeld(known, key, contactId));
  const isNamed = profileName === null || row?.profileName === profileName;
  if (!row?.conversationId || !isAllHeld || !isNamed) return null;
  const address = row.address ?? [];
  const isHere = isSameAddress(address, currentAddress(address, correspondent.customer));
  return isHere ? { conversationId: row.conversationId, contactId } : null;
}

function isUnknown({ correspondent, keys }: Asked, known: readonly KnownRow[]): boolean {
  const isPerson = correspondent.groupId === undefined && keys.length > 0 && keys.every(isMatching);
  return isPerson && known.length === 0;
}

/** By signature. Of two who share an address but not everything, the first is made here. */
async function makeNewcomers(
  tx: WorkspaceTx,
  unknown: readonly Asked[],
): Promise<ReadonlyMap<string, OpenConversation>> {
  const byKey = new Map<string, string>();
  const newcomers = new Map<string, Newcomer>();
  for (const one of unknown) {
    const names = one.keys.map(nameOfKey);
    if (names.some((name) => byKey.has(name))) continue;
    for (const name of names) byKey.set(name, signature(one));
    newcomers.set(signature(one), toNewcomer(one));
  }
  const made: ReadonlySet<ContactId> = await insertNewcomers(tx, [...newcomers.values()]);
  const sound = [...newcomers].filter(([, { contactId }]) => made.has(contactId));
  return new Map(sound.map(([name, { conversationId, contactId }]) => [name, { conversationId, contactId }]));
}

function toNewcomer({ correspondent, keys, profileName }: Asked): Newcomer {
  return {
    contactId: newId('contact'),
    conversationId: newId('conversation'),
    accountId: correspondent.accountId,
    name: profileName,
    address: currentAddress([], correspondent.customer),
    keys,
  };
}

/** The same person, said in the same words, on the same account. */
function signature({ correspondent, profileName }: Asked): string {
  return JSON.stringify([correspondent.accountId, correspondent.customer, profileName]);
}
