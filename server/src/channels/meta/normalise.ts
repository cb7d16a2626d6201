import type { InboundEvent } from '@switchyard/contract';
import type { Normalised, NormaliseInput } from '../channel.ts';
import { type Change, type Entry, readChanges, readEnvelope, unknownEntry, unsupportedEvent } from '../graph/index.ts';
import {
  isArray,
  isObject,
  joinNormalised,
  memberOf,
  type Part,
  pointerTo,
  readItems,
  textAt,
  Unreadable,
} from '../reading/index.ts';
import { accountFields, readAccountPart, readPreference } from './account-parts.ts';
import { readHistoryChunk } from './history.ts';
import { readEcho, readMessage, readPastMessage } from './messages.ts';
import { readStatus } from './statuses.ts';
import { type MetaValue, metaValueOf } from './value.ts';

/**
 * Every event of a WhatsApp Cloud API delivery. Lists inside a value are read by their names, whatever the field is
 * called, since documents and deliveries disagree on fields; a value with no known list is an account event if its field
 * is known, and `unsupported` if not.
 */
export function normaliseMeta(input: NormaliseInput): Normalised {
  return readEnvelope(input.body, { objects: ['whatsapp_business_account'], readEntry, readChange });
}

function readEntry(entry: Entry): Normalised {
  const bindings = entry.id === '' ? [] : [{ kind: 'waba_id', value: entry.id } as const];
  return joinNormalised([readChanges(entry, readChange), unknownEntry(entry, ['changes', 'value'], bindings)]);
}

type ReadItem = (item: Part, of: MetaValue) => readonly InboundEvent[] | Normalised;

/** The lists that a value may hold. */
const listReaders: Readonly<Record<string, ReadItem>> = {
  messages: (item, of) => (of.field === 'history' ? readPastMessage(item, of) : readMessage(item, of)),
  statuses: (item, of) => (isCallStatus(item, of) ? readAccountPart(item, of, 'call', 'calls') : readStatus(item, of)),
  message_echoes: readEcho,
  history: readHistoryChunk,
  state_sync: (item, of) => readAccountPart(item, of, 'contact', of.field || 'smb_app_state_sync'),
  calls: (item, of) => readAccountPart(item, of, 'call', of.field || 'calls'),
  user_preferences: readPreference,
  groups: (item, of) => readAccountPart(item, of, 'account', of.field || 'groups'),
  errors: (item, of) => readAccountPart(item, of, 'error', of.field || 'errors'),
};

/** Said of every value, and so no thing of its own. */
const commonMembers = ['contacts'];

function readChange(change: Change): Normalised | readonly InboundEvent[] {
  if (!isObject(change.value.value)) throw new Unreadable('the value of a change is no object');
  const of = metaValueOf(change);
  const type = Object.hasOwn(accountFields, of.field) ? accountFields[of.field] : undefined;
  if (type) return readAccountPart(of.value, of, type, of.field);
  const lists = Object.entries(listReaders).filter(([name]) => memberOf(of.value, name));
  if (lists.length === 0) return [unknownPart(of.value, of)];
  const known = lists.map(([name, read]) => readItems(of.value, name, (item) => read(item, of)));
  return joinNormalised([...known, joinNormalised(readUnknownLists(of))]);
}

/** Lists that Meta has added since: kept, not passed over. */
function* readUnknownLists(of: MetaValue): Generator<Normalised> {
  for (const [name, value] of Object.entries(isObject(of.value.value) ? of.value.value : {})) {
    if (!isArray(value) || Object.hasOwn(listReaders, name) || commonMembers.includes(name)) continue;
    const part = { value, path: pointerTo(of.value.path, name) };
    yield { events: [unknownPart(part, of, name)], unreadable: [] };
  }
}

function unknownPart(part: Part, of: MetaValue, name: string = of.field): InboundEvent {
  const reason = 'this field is not known';
  return unsupportedEvent({ entry: of.entry, name, part, bindings: of.bindings, reason });
}

function isCallStatus(item: Part, of: MetaValue): boolean {
  return of.field === 'calls' || textAt(item.value, 'type') === 'call';
}
