import type { Identity } from '@switchyard/contract';
import { arrayAt, idAt, isObject, type JsonObject, type JsonValue, textAt } from '../reading/index.ts';

/** Who a part is about, as far as the provider says. */
export interface Person {
  readonly identities: readonly Identity[];
  readonly profileName: string | undefined;
}

/** What a part itself says of a person: a wa_id (mostly the phone's digits) or a business-scoped user id, or both. */
export interface Named {
  readonly waId: string | undefined;
  readonly userId: string | undefined;
}

const phoneDigits = /^\+?([1-9]\d{6,14})$/;
/** `US.1349…`, `US.ENT.1181…` (Meta, "Business-scoped user ids"). */
const userIdShape = /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]+$/;

/** The contacts of one value by their ids, made once: a delivery may hold thousands. */
export interface Contacts {
  readonly byWaId: ReadonlyMap<string, JsonObject>;
  readonly byUserId: ReadonlyMap<string, JsonObject>;
  /** The contact of a value that has just one. */
  readonly single: JsonObject | undefined;
}

export function contactsOf(value: JsonValue): Contacts {
  const all = arrayAt(value, 'contacts').filter(isObject);
  return {
    byWaId: indexed(all, 'wa_id'),
    byUserId: indexed(all, 'user_id'),
    single: all.length === 1 ? all[0] : undefined,
  };
}

function indexed(contacts: readonly JsonObject[], name: string): ReadonlyMap<string, JsonObject> {
  const byId = new Map<string, JsonObject>();
  for (const contact of contacts) {
    const id = idAt(contact, name);
    if (id !== undefined && !byId.has(id)) byId.set(id, contact);
  }
  return byId;
}

/**
 * Completes what a part says of a person by the contact that stands beside it. A contact belongs to the part with the
 * same wa_id or user id, not to the one at the same place in its list; only where the part names nobody and there is one
 * single contact can it be no other.
 */
export function personOf(named: Named, contacts: Contacts): Person {
  const given = sorted(named);
  const contact = contactOf(given, contacts);
  const waId = given.waId ?? idAt(contact, 'wa_id');
  const userId = given.userId ?? idAt(contact, 'user_id');
  const username = idAt(contact, 'profile', 'username');
  return { identities: identitiesOf(waId, userId, username), profileName: textAt(contact, 'profile', 'name') };
}

/** An address of either kind may stand where the other is meant (`recipient_id` holding a user id). */
function sorted(named: Named): Named {
  const { waId, userId } = named;
  if (waId === undefined || !userIdShape.test(waId)) return named;
  return { waId: undefined, userId: userId ?? waId };
}

function contactOf({ waId, userId }: Named, contacts: Contacts): JsonObject | undefined {
  if (waId === undefined && userId === undefined) return contacts.single;
  return contacts.byWaId.get(waId ?? '') ?? contacts.byUserId.get(userId ?? '');
}

function identitiesOf(waId: string | undefined, userId: string | undefined, username: string | undefined): Identity[] {
  const identities: Identity[] = [];
  const digits = phoneDigits.exec(waId ?? '')?.[1];
  if (digits !== undefined) identities.push({ kind: 'phone', value: `+${digits}` });
  if (waId !== undefined) identities.push({ kind: 'wa_id', value: waId });
  if (userId !== undefined) identities.push({ kind: 'bsuid', value: userId });
  if (username !== undefined) identities.push({ kind: 'username', value: username });
  return identities;
}
