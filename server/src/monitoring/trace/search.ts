/** One trace from the provider's request to the receipt, found by what a person knows of it. */
import { type DeliveryId, type Hop, toPublicId } from '@switchyard/contract';
import { hopsOf, hopsOfParts, traceDelivery, traceEvents, traceOutbound } from '#inbox';
import { millisOfId } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { readTraceQuery, type TraceMatch, type TraceQuery } from './query.ts';
import { findTraces, loadBegunHere, type TraceRef } from './trace-store.ts';
import { type Channels, searchUnread, type Unread } from './unread.ts';

export const traceLimits = { found: 20 } as const;

export interface FoundTrace {
  readonly id: string;
  readonly matchedBy: TraceMatch;
  readonly at: Date;
  readonly accountName: string | null;
  readonly customer: string | null;
  readonly summary: string | null;
  readonly isProblem: boolean;
  readonly hops: readonly Hop[];
}

/**
 * The newest first, at most twenty; nothing for a text that is no query. What stopped on its way is among them: a delivery
 * that waits to be read, an event that waits for its turn or ended dead. Not unpacked: call `unpackForSearch` before.
 */
export async function searchTraces(
  tx: WorkspaceTx,
  channels: Channels,
  text: string,
  limit: number = traceLimits.found,
): Promise<FoundTrace[]> {
  for (const query of readTraceQuery(text)) {
    const unread = await unreadBy(tx, channels, query, limit);
    const refs = [...refsOf(unread), ...(await findTraces(tx, query, limit))];
    const found: FoundTrace[] = [];
    // Once where it was read in between.
    for (const ref of [...new Map(refs.map((one) => [one.id, one])).values()].slice(0, limit)) {
      const trace = await load(tx, ref, unread);
      if (trace)
        found.push({ ...trace, matchedBy: query.by, isProblem: trace.hops.some(({ isProblem }) => isProblem) });
    }
    if (found.length > 0) return found.sort((a, b) => b.at.getTime() - a.at.getTime());
  }
  return [];
}

type Loaded = Omit<FoundTrace, 'matchedBy' | 'isProblem'>;

type AllUnread = ReadonlyMap<DeliveryId, Unread>;

/** Half of the places at most: what was read is looked for too. */
async function unreadBy(tx: WorkspaceTx, channels: Channels, query: TraceQuery, limit: number): Promise<AllUnread> {
  return query.by === 'trace' ? new Map() : searchUnread(tx, channels, query, Math.ceil(limit / 2));
}

function refsOf(unread: AllUnread): readonly TraceRef[] {
  return [...unread.keys()].map((id) => ({ kind: 'delivery', id }));
}

async function load(tx: WorkspaceTx, ref: TraceRef, unread: AllUnread): Promise<Loaded | null> {
  return ref.kind === 'delivery' ? loadDelivery(tx, ref, unread.get(ref.id)) : loadMessage(tx, ref);
}

async function loadDelivery(
  tx: WorkspaceTx,
  { id }: Extract<TraceRef, { kind: 'delivery' }>,
  unread: Unread | undefined,
): Promise<Loaded | null> {
  const trace = await traceDelivery(tx, id);
  const publicId = toPublicId('delivery', id);
  if (trace)
    return {
      ...{ id: publicId, at: trace.receivedAt, accountName: trace.accountName, hops: hopsOf(trace) },
      customer: trace.sender ?? unread?.customer ?? null,
      summary: trace.error ?? trace.summary ?? unread?.summary ?? null,
    };
  // It came by a route for all: the delivery is the operator's, these events are ours.
  const events = await traceEvents(tx, id);
  if (events.length === 0) return null;
  const at = new Date(millisOfId(id));
  const payload = events[0]?.payload as { readonly customer?: readonly { readonly value: string }[] } | undefined;
  return {
    ...{ id: publicId, at, accountName: null, customer: payload?.customer?.[0]?.value ?? null },
    summary: events.map(({ kind, type }) => `${kind}:${type}`).join(', '),
    hops: hopsOfParts(events, [], at),
  };
}

async function loadMessage(tx: WorkspaceTx, { id }: Extract<TraceRef, { kind: 'message' }>): Promise<Loaded | null> {
  const begun = await loadBegunHere(tx, id);
  if (!begun) return null;
  return {
    ...{ id: toPublicId('message', id), at: begun.createdAt, accountName: begun.accountName, customer: begun.customer },
    summary: `${begun.author}: ${begun.text}`,
    hops: hopsOfParts([], await traceOutbound(tx, id), begun.createdAt),
  };
}
