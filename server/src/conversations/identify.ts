/**
 * Who is who. Pure: from what a delivery says of a customer, and what is known, to which contact it is.
 *
 * A phone number and a wa_id are the same everywhere. A business-scoped id, a LID and an Instagram id hold for one
 * account only (providers' documents: they differ per portfolio, per instance). A username is kept to be shown and never
 * matched: it can pass to another person.
 */
import { type AccountId, type ContactId, canonicalPhone, type Identity } from '@switchyard/contract';
import { storableText } from './storable.ts';

export interface IdentityKey {
  readonly kind: Identity['kind'];
  /** '' everywhere; else the account's id. */
  readonly scope: string;
  readonly value: string;
}

/** An identity that is stored, with its contact. */
export interface HeldIdentity extends IdentityKey {
  readonly contactId: ContactId;
  readonly contactSince: Date;
  readonly isContactDeleted: boolean;
}

/** Sorted, so that two transactions take the same keys in the same order. */
export function identityKeys(accountId: AccountId, customer: readonly Identity[]): readonly IdentityKey[] {
  const keys = customer.flatMap((identity) => keysOf(accountId, identity));
  const byName = new Map(keys.map((key) => [nameOfKey(key), key]));
  return [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
}

function keysOf(accountId: AccountId, { kind, value }: Identity): readonly IdentityKey[] {
  const text = storableText(value).trim();
  if (text === '') return [];
  switch (kind) {
    case 'phone':
      return [{ kind, scope: '', value: canonicalPhone(text) ?? text }];
    case 'wa_id':
      return [{ kind, scope: '', value: text }, ...phoneKey(text)];
    case 'username':
      return [{ kind, scope: accountId, value: text.toLowerCase() }];
    case 'bsuid':
    case 'lid':
    case 'instagram':
      return [{ kind, scope: accountId, value: text }];
    default: {
      const never: never = kind;
      return never;
    }
  }
}

function phoneKey(waId: string): readonly IdentityKey[] {
  const phone = canonicalPhone(waId);
  return phone ? [{ kind: 'phone', scope: '', value: phone }] : [];
}

export function nameOfKey(key: IdentityKey): string {
  return `${key.kind}/${key.scope}/${key.value}`;
}

export function isMatching(key: IdentityKey): boolean {
  return key.kind !== 'username';
}

export interface Recognition {
  /** null: nobody known; a new contact. */
  readonly contactId: ContactId | null;
  /** Contacts that this delivery proves to be the same person. */
  readonly merge: readonly ContactId[];
  /** Keys that pass to this contact from one who is surely somebody else, or is deleted. */
  readonly take: readonly (IdentityKey & { readonly from: ContactId })[];
  /** Keys that nobody holds. */
  readonly add: readonly IdentityKey[];
}

interface Candidate {
  readonly id: ContactId;
  readonly since: Date;
  readonly isDeleted: boolean;
  readonly held: readonly HeldIdentity[];
}

/**
 * `held`: every identity of every contact that holds one of `keys`. The oldest of those who are the same person stays.
 * One who holds another LID or Instagram id of this account is somebody else, from whom the number has passed on. A
 * differing business-scoped id proves nothing: a move to another portfolio changes them all.
 */
export function recognise(keys: readonly IdentityKey[], held: readonly HeldIdentity[]): Recognition {
  const candidates = candidatesOf(held);
  const same = candidates.filter((candidate) => !candidate.isDeleted && !contradicts(candidate, keys));
  const [survivor, ...merge] = same;
  const sameIds = new Set(same.map(({ id }) => id));
  const holders = new Map(held.map((identity) => [nameOfKey(identity), identity.contactId]));
  const foreign = keys.flatMap((key) => {
    const from = holders.get(nameOfKey(key));
    return from !== undefined && !sameIds.has(from) ? [{ ...key, from }] : [];
  });
  return {
    contactId: survivor?.id ?? null,
    merge: merge.map(({ id }) => id),
    take: foreign,
    add: keys.filter((key) => !holders.has(nameOfKey(key))),
  };
}

function candidatesOf(held: readonly HeldIdentity[]): readonly Candidate[] {
  const byContact = Map.groupBy(held, (identity) => identity.contactId);
  return [...byContact.entries()]
    .map(([id, identities]) => ({
      id,
      since: identities[0]?.contactSince ?? new Date(0),
      isDeleted: identities[0]?.isContactDeleted ?? false,
      held: identities,
    }))
    .sort((a, b) => a.since.getTime() - b.since.getTime() || (a.id < b.id ? -1 : 1));
}

function contradicts(candidate: Candidate, keys: readonly IdentityKey[]): boolean {
  return keys
    .filter((key) => key.kind === 'lid' || key.kind === 'instagram')
    .some((key) => {
      const alike = candidate.held.filter((identity) => identity.kind === key.kind && identity.scope === key.scope);
      return alike.length > 0 && alike.every((identity) => identity.value !== key.value);
    });
}

const numberKinds: readonly Identity['kind'][] = ['phone', 'wa_id'];

/**
 * The address after a delivery: what it said, then what was known and it left out. A new number drives out the old one
 * in both its forms.
 */
export function currentAddress(known: readonly Identity[], delivered: readonly Identity[]): readonly Identity[] {
  const told = new Set(delivered.map(({ kind }) => kind));
  if (numberKinds.some((kind) => told.has(kind))) for (const kind of numberKinds) told.add(kind);
  return [...delivered, ...known.filter(({ kind }) => !told.has(kind))];
}

/** A new address as a system message writes it: a business-scoped id, or a wa_id. */
export function identityOfAddress(address: string): Identity {
  return canonicalPhone(address) === undefined
    ? { kind: 'bsuid', value: address.trim() }
    : { kind: 'wa_id', value: address.trim().replace(/^\+/, '') };
}
