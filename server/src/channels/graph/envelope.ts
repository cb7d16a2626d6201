/**
 * The envelope of every Graph webhook: `{object, entry: [{id, time, changes: [{field, value}], …}]}`. One delivery may
 * hold many entries, each many changes; a bad one harms no other. Also taken: no `object`, an outer list, a lone change
 * (the dashboard's sample), a change written flat into its entry, and a `field` that slipped into its value.
 */
import type { AccountEvent, AccountEventType, Binding, InboundEvent, UnsupportedEvent } from '@switchyard/contract';
import type { Normalised } from '../channel.ts';
import {
  fingerprint,
  idAt,
  instantOf,
  isArray,
  isObject,
  itemsOf,
  type JsonObject,
  joinNormalised,
  memberOf,
  nothingRead,
  type Part,
  readBody,
  readEach,
  readItems,
  readPart,
  textAt,
  Unreadable,
  valueAt,
} from '../reading/index.ts';

export interface Entry {
  readonly part: Part;
  /** WABA id, professional account id or page id; '' where the provider gives none. */
  readonly id: string;
  /** When the delivery was sent, which is not when the thing happened. */
  readonly sentAt: string | null;
}

export interface Change {
  readonly entry: Entry;
  /** '' where none is given anywhere. */
  readonly field: string;
  readonly value: Part;
}

export interface EnvelopeReader {
  /** Names in `object` that this channel serves. */
  readonly objects: readonly string[];
  readonly readEntry: (entry: Entry) => Normalised;
  readonly readChange: (change: Change) => Normalised | readonly InboundEvent[];
}

export function readEnvelope(body: Uint8Array, reader: EnvelopeReader): Normalised {
  return readBody(body, ({ value, path }) =>
    readEach(isArray(value) ? itemsOf(value, path) : [{ value, path }], (part) => readOne(part, reader)),
  );
}

function readOne(part: Part, reader: EnvelopeReader): Normalised {
  if (!isObject(part.value)) throw new Unreadable('expected an object');
  const name = textAt(part.value, 'object');
  if (name !== undefined && !reader.objects.includes(name)) return unsupportedObject(part, name);
  if (memberOf(part, 'entry')) return readItems(part, 'entry', (item) => reader.readEntry(entryOf(item)));
  return readLoneChange(part, reader);
}

function unsupportedObject(part: Part, name: string): Normalised {
  const event: UnsupportedEvent = {
    kind: 'unsupported',
    type: name,
    key: `${name}:${fingerprint(part.value)}`,
    occurredAt: null,
    bindings: [],
    path: part.path,
    reason: 'this object is not served by the channel',
  };
  return { events: [event], unreadable: [] };
}

/** `{field, value}`, `{sample: {field, value}}`, or only the value as some documents print it. */
function readLoneChange(part: Part, reader: EnvelopeReader): Normalised {
  const sample = memberOf(part, 'sample') ?? part;
  const noEntry: Entry = { part: sample, id: '', sentAt: null };
  const change = changeOf(noEntry, sample);
  if (change) return readPart(change.value, () => reader.readChange(change));
  if (textAt(part.value, 'messaging_product') === undefined) throw new Unreadable('there is no entry');
  return readPart(part, () => reader.readChange({ entry: noEntry, field: '', value: part }));
}

function entryOf(item: Part): Entry {
  if (!isObject(item.value)) throw new Unreadable('expected an object');
  return { part: item, id: idAt(item.value, 'id') ?? '', sentAt: instantOf(item.value.time) };
}

/** The changes of an entry: its list, and itself where `field` and `value` stand flat in it. */
export function readChanges(entry: Entry, readChange: EnvelopeReader['readChange']): Normalised {
  const listed = readItems(entry.part, 'changes', (item) => {
    const change = changeOf(entry, item);
    if (!change) throw new Unreadable('a change without a value');
    return readChange(change);
  });
  const flat = changeOf(entry, entry.part);
  return flat ? joinNormalised([listed, readPart(flat.value, () => readChange(flat))]) : listed;
}

function changeOf(entry: Entry, part: Part): Change | undefined {
  const value = memberOf(part, 'value');
  if (!value) return undefined;
  return { entry, field: idAt(part.value, 'field') ?? idAt(value.value, 'field') ?? '', value };
}

/** An entry in which nothing is known is kept as a whole rather than passed over. */
export function unknownEntry(entry: Entry, known: readonly string[], bindings: readonly Binding[]): Normalised {
  if (known.some((name) => valueAt(entry.part.value, name) !== undefined)) return nothingRead;
  const names = isObject(entry.part.value) ? Object.keys(entry.part.value) : [];
  const type = names.find((name) => name !== 'id' && name !== 'time') ?? 'empty';
  const event = unsupportedEvent({
    entry,
    name: type,
    part: entry.part,
    bindings,
    reason: 'nothing in this entry is known',
  });
  return { events: [event], unreadable: [] };
}

interface Described {
  readonly entry: Entry;
  readonly name: string;
  readonly part: Part;
  readonly bindings: readonly Binding[];
}

/**
 * The key of what has no id of its own: field, entry id, and hash of the value with its time: its own, or else when the
 * delivery was sent. A redelivery repeats the body with its time, so it is the same event; a quality that falls, rises and
 * falls again says one value twice, at two times, and is two events.
 */
export function valueKey(name: string, entry: Entry, part: Part): string {
  const isDated = timeOf(part) !== null || entry.sentAt === null;
  return `${name}:${entry.id}:${fingerprint(isDated ? part.value : [part.value, entry.sentAt])}`;
}

export function unsupportedEvent(of: Described & { readonly reason: string }): UnsupportedEvent {
  return {
    kind: 'unsupported',
    type: of.name === '' ? 'unnamed' : of.name,
    key: valueKey(of.name, of.entry, of.part),
    occurredAt: of.entry.sentAt,
    bindings: of.bindings,
    path: of.part.path,
    reason: of.reason,
  };
}

export function accountEvent(
  of: Described & { readonly type: AccountEventType; readonly opt?: NonNullable<AccountEvent['opt']> },
): AccountEvent {
  const facts: JsonObject = isObject(of.part.value) ? of.part.value : { value: of.part.value };
  return {
    kind: 'account',
    type: of.type,
    name: of.name,
    key: valueKey(of.name, of.entry, of.part),
    occurredAt: timeOf(of.part) ?? of.entry.sentAt,
    bindings: of.bindings,
    path: of.part.path,
    facts,
    ...(of.opt ? { opt: of.opt } : {}),
  };
}

function timeOf(part: Part): string | null {
  return instantOf(valueAt(part.value, 'timestamp') ?? valueAt(part.value, 'metadata', 'timestamp'));
}
