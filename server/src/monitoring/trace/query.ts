/**
 * What a person looks for: one of our ids, a phone number, or an id that a provider gave. Pure.
 *
 * A further thing to look by (an order's number) is a name in `traceMatches`, a reading here and a finder in the store.
 */
import { canonicalPhone, idPrefixes, parseId, type traceMatches } from '@switchyard/contract';

export type TraceMatch = (typeof traceMatches)[number];

/** Ids that lead to a trace. */
export const tracedIds = ['delivery', 'event', 'message', 'turn', 'outbound', 'attempt'] as const;
export type TracedId = (typeof tracedIds)[number];

export type TraceQuery =
  | { readonly by: 'trace'; readonly of: TracedId | null; readonly id: string }
  /** E.164, and its digits as a provider's own id has them. */
  | { readonly by: 'phone'; readonly phone: string; readonly digits: string }
  | { readonly by: 'provider-id'; readonly id: string };

export const longestQuery = 300;

/** In the order in which they are tried; what reads as several things is looked for as each. */
export function readTraceQuery(text: string): readonly TraceQuery[] {
  const asked = text.trim();
  if (asked === '' || asked.length > longestQuery) return [];
  const own = readOwnId(asked);
  if (own) return [own];
  const phone = /^[+\d\s().-]+$/.test(asked) ? canonicalPhone(asked) : undefined;
  const byProvider: TraceQuery = { by: 'provider-id', id: asked };
  return phone ? [{ by: 'phone', phone, digits: phone.slice(1) }, byProvider] : [byProvider];
}

function readOwnId(text: string): TraceQuery | null {
  const named = tracedIds.find((name) => text.toLowerCase().startsWith(`${idPrefixes[name]}_`));
  const id = parseId(named ?? 'delivery', text);
  return id ? { by: 'trace', of: named ?? null, id } : null;
}
