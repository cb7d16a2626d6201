/**
 * Reading a body part by part so that a bad part harms nobody: what a reader refuses or trips over becomes `unreadable`
 * with its JSON pointer, and the parts beside it are read as if it were not there.
 */
import type { InboundEvent } from '@switchyard/contract';
import type { Normalised, UnreadablePart } from '../channel.ts';
import type { JsonValue } from './json.ts';
import { isArray } from './values.ts';

/** A piece of the body and where it stands. */
export interface Part {
  readonly value: JsonValue;
  /** JSON pointer (RFC 6901); '' is the whole body. */
  readonly path: string;
}

/** Thrown by readers inside `readPart` only: this part lacks something without which it means nothing. */
export class Unreadable extends Error {}

export const nothingRead: Normalised = { events: [], unreadable: [] };

export function refusedPart(path: string, reason: string): Normalised {
  return { events: [], unreadable: [{ path, reason }] };
}

/** Runs one reader; whatever it throws costs this part and no other. */
export function readPart(part: Part, read: (part: Part) => readonly InboundEvent[] | Normalised): Normalised {
  try {
    const result = read(part);
    return 'events' in result ? result : { events: result, unreadable: [] };
  } catch (error) {
    // A fault of our own reader must end as a dead letter too, never as the loss of the parts beside it. Its message
    // may quote the body, so only an `Unreadable` speaks for itself.
    const reason = error instanceof Unreadable ? error.message : 'the reader failed on this part';
    return refusedPart(part.path, reason);
  }
}

export function joinNormalised(all: readonly Normalised[]): Normalised {
  const events: InboundEvent[] = [];
  const unreadable: UnreadablePart[] = [];
  for (const one of all) {
    for (const event of one.events) events.push(event);
    for (const part of one.unreadable) unreadable.push(part);
  }
  return { events, unreadable };
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
export function readItems(
  part: Part,
  name: string,
  read: (item: Part) => readonly InboundEvent[] | Normalised,
): Normalised {
  const list = memberOf(part, name);
  if (!list) return nothingRead;
  if (!isArray(list.value)) return refusedPart(list.path, 'expected a list');
  return joinNormalised(list.value.map((value, index) => readPart({ value, path: pointerTo(list.path, index) }, read)));
}

export function pointerTo(path: string, name: string | number): string {
  return `${path}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
