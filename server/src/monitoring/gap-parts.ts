/**
 * What a balance incident consists of, and what became of a gap that a balance no longer names: mended, or out of its sight.
 * Pure.
 */
import type { GapStage } from '@switchyard/contract';
import { type Balance, type Gap, hourMs } from '#inbox';
import { millisOfId } from '#kernel';
import type { Ending, Part } from './alarms/index.ts';

/** The balance looks back so far: each delivery is seen by several of them, and parked events until they end. */
export const balanceBackMs = 9 * 24 * hourMs;

/** In which table the row of a gap stands by itself once the gap is mended; null: it is a count. */
const tableOf = {
  unpack: 'deliveries',
  queue: 'deliveries',
  normalise: 'deliveries',
  events: 'deliveries',
  handle: 'events',
  parked: 'events',
  turn: 'events',
  answer: 'events',
  send: 'outbox',
  vanished: null,
} as const satisfies Readonly<Record<GapStage, string | null>>;

export type RowIds = Readonly<Record<'deliveries' | 'events' | 'outbox', readonly string[]>>;

export function partOf({ stage, accountId, deliveryId, eventId, outboundId, since }: Gap): Part {
  const id = { deliveries: deliveryId, events: eventId, outbox: outboundId, count: null }[tableOf[stage] ?? 'count'];
  if (id === null)
    return { key: `${accountId ?? 'shared'} ${since.toISOString()}`, group: stage, atMs: since.getTime() };
  // The balance finds it by the millisecond that its delivery's or its own id begins with.
  return { key: id, group: stage, atMs: millisOfId(outboundId ?? deliveryId ?? id) };
}

/** Of these parts the rows whose being there shows that a gap was mended, not lost. */
export function rowsOf(parts: readonly Part[]): RowIds {
  const idsIn = (table: keyof RowIds) => parts.filter(({ group }) => tableIn(group) === table).map(({ key }) => key);
  return { deliveries: idsIn('deliveries'), events: idsIn('events'), outbox: idsIn('outbox') };
}

function tableIn(group: string): keyof RowIds | null {
  return Object.hasOwn(tableOf, group) ? tableOf[group as GapStage] : null;
}

/** Looked at by this balance, not named by it, and its row is there. */
export function isMended(
  { key, group, atMs }: Part,
  rows: ReadonlySet<string>,
  { from, comparedSince }: Pick<Balance, 'from' | 'comparedSince'>,
): boolean {
  if (atMs < from.getTime()) return false;
  return tableIn(group) === null ? atMs >= comparedSince.getTime() : rows.has(key);
}

/** Of an incident whose parts are named no more; `left`: those that were not seen mended. */
export function endingOf(left: readonly Part[], now: Date): Ending {
  if (left.length === 0) return 'resolved';
  return left.every(({ atMs }) => now.getTime() - atMs > balanceBackMs) ? 'unwatched' : 'open';
}
