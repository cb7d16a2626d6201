/** One trace from the provider's request to the receipt, found by what a person knows of it. */
import { type Hop, toPublicId } from '@switchyard/contract';
import { hopsOf, hopsOfParts, traceDelivery, traceEvents, traceOutbound } from '#inbox';
import { millisOfId } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { readTraceQuery, type TraceMatch } from './query.ts';
import { findTraces, loadBegunHere, type TraceRef } from './trace-store.ts';

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

/** The newest first, at most twenty; nothing for a text that is no query. */
export async function searchTraces(
  tx: WorkspaceTx,
  text: string,
  limit: number = traceLimits.found,
): Promise<FoundTrace[]> {
  for (const query of readTraceQuery(text)) {
    const refs = await findTraces(tx, query, limit);
    const found: FoundTrace[] = [];
    for (const ref of refs.slice(0, limit)) {
      const trace = await load(tx, ref);
      if (trace)
        found.push({ ...trace, matchedBy: query.by, isProblem: trace.hops.some(({ isProblem }) => isProblem) });
    }
    if (found.length > 0) return found.sort((a, b) => b.at.getTime() - a.at.getTime());
  }
  return [];
}

type Loaded = Omit<FoundTrace, 'matchedBy' | 'isProblem'>;

async function load(tx: WorkspaceTx, ref: TraceRef): Promise<Loaded | null> {
  return ref.kind === 'delivery' ? loadDelivery(tx, ref) : loadMessage(tx, ref);
}

async function loadDelivery(tx: WorkspaceTx, { id }: Extract<TraceRef, { kind: 'delivery' }>): Promise<Loaded | null> {
  const trace = await traceDelivery(tx, id);
  const publicId = toPublicId('delivery', id);
  if (trace)
    return {
      ...{ id: publicId, at: trace.receivedAt, accountName: trace.accountName },
      ...{ customer: trace.sender, summary: trace.error ?? trace.summary, hops: hopsOf(trace) },
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
