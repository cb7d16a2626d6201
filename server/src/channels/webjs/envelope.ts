import type { Binding } from '@switchyard/contract';
import { idAt, instantOf, memberOf, type Part, pointerTo, textAt, valueAt } from '../reading/index.ts';

/** A webhook of the companion or of WAHA: `{id?, timestamp?, event, session, me?, engine?, payload}`. */
export interface Envelope {
  readonly event: string;
  /** Of the delivery (`evt_…`), the same on its retries; WAHA's older versions have none. */
  readonly id: string | undefined;
  /** '' where none is named. */
  readonly session: string;
  readonly bindings: readonly Binding[];
  readonly engine: string | undefined;
  /** When the event was made; for parts that carry no time of their own. */
  readonly occurredAt: string | null;
  readonly payload: Part;
}

/** Raw Baileys objects come without an envelope, or with one that has `data` in place of `payload`. */
export function readEnvelope(part: Part): Envelope {
  const session = textAt(part.value, 'session') ?? textAt(part.value, 'sessionId') ?? '';
  const hasEvent = valueAt(part.value, 'event') !== undefined;
  return {
    event: textAt(part.value, 'event') ?? '',
    id: idAt(part.value, 'id'),
    session,
    bindings: session === '' ? [] : [{ kind: 'session', value: session }],
    engine: textAt(part.value, 'engine')?.toUpperCase(),
    occurredAt: hasEvent ? instantOf(valueAt(part.value, 'timestamp')) : null,
    payload: hasEvent ? payloadOf(part) : part,
  };
}

function payloadOf(part: Part): Part {
  const empty = { value: null, path: pointerTo(part.path, 'payload') };
  return memberOf(part, 'payload') ?? memberOf(part, 'data') ?? empty;
}

/** The session and what it names, joined; a part that is not there is left out. */
export function keyOf(envelope: Envelope, ...parts: readonly (string | undefined)[]): string {
  return [envelope.session, ...parts].filter((part) => part !== undefined && part !== '').join(':');
}
