/**
 * Reading a body part by part so that a bad part harms nobody: what a reader refuses or trips over becomes `unreadable`
 * with its JSON pointer, and the parts beside it are read as if it were not there.
 */
import type { InboundEvent } from '@switchyard/contract';
import type { Normalised, UnreadablePart } from '../channel.ts';
import { type JsonValue, parseJson } from './json.ts';
import { isArray } from './values.ts';

/**
 * Events and unreadable parts of one delivery, together. A full batch of Meta's holds 1,000, and 3 MiB (the limit of a body)
 * about 5,000 messages of an imported history. Beyond it a body costs more to take apart than anyone gains by it: half
 * a million zeros would be as many dead letters.
 */
export const maxParts = 10_000;

/** A piece of the body and where it stands. */
export interface Part {
  readonly value: JsonValue;
  /** JSON pointer (RFC 6901); '' is the whole body. */
  readonly path: string;
}

/** Thrown by readers inside `readPart` only: this part lacks something without which it means nothing. */
export class Unreadable extends Error {}

/** Thrown through all readers up to `readBody`, as soon as there are too many; what was read by then is given up. */
class TooManyParts extends Error {}

export const nothingRead: Normalised = { events: [], unreadable: [] };

export function refusedPart(path: string, reason: string): Normalised {
  return { events: [], unreadable: [{ path, reason }] };
}

/**
 * Reads a body of JSON as a whole. One that holds more than `maxParts` is unreadable as a whole, and is not read to its
 * end: the cost of finding out is bounded too.
 */
export function readBody(body: Uint8Array, read: (whole: Part) => Normalised): Normalised {
  const parsed = parseJson(body);
  if (!parsed.ok) return refusedPart('', parsed.refusal);
  try {
    return read({ value: parsed.value, path: '' });
  } catch (error) {
    if (!(error instanceof TooManyParts)) throw error;
    return refusedPart('', `too many parts: a delivery is read up to ${maxParts} events and unreadable parts`);
  }
}

/** Runs one reader; whatever it throws costs this part and no other. */
export function readPart(part: Part, read: ReadPart): Normalised {
  try {
    const result = read(part);
    return 'events' in result ? result : { events: result, unreadable: [] };
  } catch (error) {
    if (error instanceof TooManyParts) throw error;
    // A fault of our own reader must end as a dead letter too, never as the loss of the parts beside it. Its message
    // may quote the body, so only an `Unreadable` speaks for itself.
    const reason = error instanceof Unreadable ? error.message : 'the reader failed on this part';
    return refusedPart(part.path, reason);
  }
}

export function joinNormalised(all: Iterable<Normalised>): Normalised {
  const events: InboundEvent[] = [];
  const unreadable: UnreadablePart[] = [];
  for (const one of all) {
    for (const event of one.events) events.push(event);
    for (const part of one.unreadable) unreadable.push(part);
    if (events.length + unreadable.length > maxParts) throw new TooManyParts();
  }
  return { events, unreadable };
}

type ReadPart = (part: Part) => readonly InboundEvent[] | Normalised;

/** Reads each part on its own, one after the other: none is touched after there are too many. */
export function readEach(parts: Iterable<Part>, read: ReadPart): Normalised {
  return joinNormalised(readings(parts, read));
}

function* readings(parts: Iterable<Part>, read: ReadPart): Generator<Normalised> {
  for (const part of parts) yield readPart(part, read);
}

/** The items of a list as parts of their own, made as they are asked for. */
export function* itemsOf(list: readonly JsonValue[], path: string): Generator<Part> {
  for (const [index, value] of list.entries()) yield { value, path: pointerTo(path, index) };
}

/** The member of a part as a part of its own; undefined where absent or null. */
export function memberOf(part: Part, name: string | number): Part | undefined {
  const { value } = part;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  const member = (value as Record<string | number, JsonValue>)[name];
  if (member === null || member === undefined) return undefined;
  return { value: member, path: pointerTo(part.path, name) };
}

/**
 * Reads each item of a list on its own. An absent list holds nothing; a member that is there but no list is unreadable
 * as a whole.
 */
export function readItems(part: Part, name: string, read: ReadPart): Normalised {
  const list = memberOf(part, name);
  if (!list) return nothingRead;
  if (!isArray(list.value)) return refusedPart(list.path, 'expected a list');
  return readEach(itemsOf(list.value, list.path), read);
}

export function pointerTo(path: string, name: string | number): string {
  return `${path}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
