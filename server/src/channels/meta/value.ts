import type { Binding } from '@switchyard/contract';
import type { Change, Entry } from '../graph/index.ts';
import { idAt, type Part } from '../reading/index.ts';
import { type Contacts, contactsOf } from './people.ts';

/** The value of a change with what its parts have in common. */
export interface MetaValue {
  readonly entry: Entry;
  readonly field: string;
  readonly value: Part;
  readonly bindings: readonly Binding[];
  readonly contacts: Contacts;
}

export function metaValueOf(change: Change): MetaValue {
  return { ...change, bindings: bindingsOf(change), contacts: contactsOf(change.value.value) };
}

/**
 * Whose this is: the phone number where metadata names it; else the WABA. Partner events name the WABA inside the value,
 * their entry id being the partner's own business.
 */
function bindingsOf(change: Change): readonly Binding[] {
  const phoneNumberId = idAt(change.value.value, 'metadata', 'phone_number_id');
  if (phoneNumberId !== undefined) return [{ kind: 'phone_number_id', value: phoneNumberId }];
  const wabaId = idAt(change.value.value, 'waba_info', 'waba_id') ?? change.entry.id;
  return wabaId === '' ? [] : [{ kind: 'waba_id', value: wabaId }];
}
