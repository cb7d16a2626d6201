import type { Binding } from '@switchyard/contract';
import {
  isArray,
  isObject,
  itemsOf,
  memberOf,
  type Part,
  pointerTo,
  textAt,
  Unreadable,
  valueAt,
} from '../reading/index.ts';
import { type EvolutionEvent, parseEventName } from './event-names.ts';

/** One webhook of Evolution: what happened, at which instance, and the data. */
export interface Envelope {
  /** Undefined for an event that we do not know. */
  readonly event: EvolutionEvent | undefined;
  /** `messages.upsert`, whatever spelling it came in; as it came where we do not know it; `unknown` where it has none. */
  readonly name: string;
  readonly instance: string;
  readonly bindings: readonly Binding[];
  readonly data: Part;
  /** The server's local time with a false `Z`: good for telling two events apart, not for ordering. */
  readonly dateTime: string | undefined;
}

/** Throws `Unreadable` for what is no object. `target` may end in the event's name (`byEvents`). */
export function readEnvelope(part: Part, target: string): Envelope {
  if (!isObject(part.value)) throw new Unreadable('expected an object');
  const given = textAt(part.value, 'event') || eventOfTarget(target) || eventOfShape(part);
  const event = given === undefined ? undefined : parseEventName(given);
  const instance = textAt(part.value, 'instance') ?? textAt(part.value, 'instance', 'instanceName') ?? '';
  return {
    event,
    name: event ?? given ?? 'unknown',
    instance,
    bindings: bindingsOf(instance, part),
    data: dataOf(part),
    dateTime: textAt(part.value, 'date_time') || undefined,
  };
}

/** A message without an envelope, as queues and exports hold it, is its own data. */
function dataOf(part: Part): Part {
  const isBare = valueAt(part.value, 'event') === undefined;
  return memberOf(part, 'data') ?? (isBare ? part : { value: null, path: pointerTo(part.path, 'data') });
}

/** The instance as the envelope names it, and as the data does where that differs: the inbox must see both. */
function bindingsOf(instance: string, part: Part): readonly Binding[] {
  const inData = textAt(part.value, 'data', 'instance') ?? '';
  const names = [...new Set([instance, inData])].filter((name) => name !== '');
  return names.map((value) => ({ kind: 'instance', value }));
}

function eventOfTarget(target: string): string | undefined {
  const last = target.split('?', 1)[0]?.split('/').at(-1) ?? '';
  return parseEventName(last);
}

function eventOfShape(part: Part): string | undefined {
  const isMessage = valueAt(part.value, 'key', 'id') !== undefined && valueAt(part.value, 'message') !== undefined;
  return isMessage ? 'messages.upsert' : undefined;
}

/** Each item by itself where there is a list: servers differ, event by event, in whether they send one. */
export function dataParts(data: Part): Iterable<Part> {
  return isArray(data.value) ? itemsOf(data.value, data.path) : [data];
}
