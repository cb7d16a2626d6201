/**
 * The ledger: of what came in an hour, how far it has come. Nothing of it is written on the hot path: the hour of a
 * delivery stands in its id, and what became of it in the tables that hold the truth anyway.
 */
import type { AccountId, DeliveryId, EventId, GapStage, OutboundId, WorkspaceId } from '@switchyard/contract';

/** From `from` up to, not with, `to`. */
export interface LedgerSpan {
  readonly from: Date;
  readonly to: Date;
}

export const hourMs = 3_600_000;

export function hourOf(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / hourMs) * hourMs);
}

export const counterNames = [
  'received',
  'stored',
  'normalised',
  'duplicates',
  'events',
  'handled',
  'answered',
  'forwarded',
  'parked',
  'dead',
  'heard',
] as const;
export type CounterName = (typeof counterNames)[number];

/**
 * received: answered 200. stored: those that stand by themselves, not in a batch that is not unpacked yet. normalised: read
 * into events. duplicates: events that had taken effect before. handled: events that ended, ignored ones with a reason among
 * them. answered: events with a reply. forwarded: deliveries passed on to a legacy system. parked: events that wait for
 * their message. dead: parts and events that were set aside and not replayed. heard: events that are no tests, which is
 * what an account's rhythm is learnt from.
 */
export type Counts = Readonly<Record<CounterName, number>>;

/** As people are shown them. `forwarded` null: this server forwards nothing to anybody. */
export type ShownCounts = Omit<Counts, 'forwarded'> & { readonly forwarded: number | null };

export function shownCounts(counts: Counts, { isForwarding }: { readonly isForwarding: boolean }): ShownCounts {
  return isForwarding ? counts : { ...counts, forwarded: null };
}

export const noCounts: Counts = Object.freeze(
  Object.fromEntries(counterNames.map((name) => [name, 0])) as Record<CounterName, number>,
);

export function addCounts(one: Counts, other: Counts): Counts {
  return Object.fromEntries(counterNames.map((name) => [name, one[name] + other[name]])) as Record<CounterName, number>;
}

export interface LedgerHour {
  /** null: deliveries of app-level shared routes; their events count for the account that they are of. */
  readonly accountId: AccountId | null;
  readonly hour: Date;
  readonly counts: Counts;
}

export interface Gap {
  readonly stage: GapStage;
  readonly accountId: AccountId | null;
  readonly deliveryId: DeliveryId | null;
  readonly eventId: EventId | null;
  readonly outboundId: OutboundId | null;
  /** Since when it should have gone on. */
  readonly since: Date;
  readonly detail: string;
}

/** A delivery that was answered 200 and still lies in a batch. */
export interface UnpackedDelivery {
  readonly accountId: AccountId | null;
  readonly deliveryId: DeliveryId;
  readonly receivedAt: Date;
  /** Why the database would not have it; then nobody unpacks it. */
  readonly refusal: string | null;
}

export interface LedgerAsk {
  readonly workspaceId: WorkspaceId;
  readonly accountId?: AccountId | undefined;
  readonly span: LedgerSpan;
}

/** What lies in `arrivals`, received and not yet unpacked. */
export type FindUnpacked = (ask: LedgerAsk) => Promise<readonly UnpackedDelivery[]>;

/** Deliveries passed on to a legacy system, by account and hour; filled by whoever forwards. */
export type CountForwarded = (
  ask: LedgerAsk,
) => Promise<readonly { readonly accountId: AccountId; readonly hour: Date; readonly count: number }[]>;

export const nothingForwarded: CountForwarded = async () => [];

/** Of the account and the span that are asked for. */
export function unpackedIn(all: readonly UnpackedDelivery[], { accountId, span }: LedgerAsk): UnpackedDelivery[] {
  return all.filter(
    (one) =>
      (accountId === undefined || one.accountId === accountId) &&
      one.receivedAt >= span.from &&
      one.receivedAt < span.to,
  );
}

/** Hours of the same account and hour become one, in order. */
export function sumHours(hours: readonly LedgerHour[]): LedgerHour[] {
  const byKey = new Map<string, LedgerHour>();
  for (const hour of hours) {
    const key = `${hour.hour.toISOString()} ${hour.accountId ?? ''}`;
    const known = byKey.get(key);
    byKey.set(key, known ? { ...known, counts: addCounts(known.counts, hour.counts) } : hour);
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, hour]) => hour);
}

/** Since when no day was dropped by policy; null: not known. Filled by whoever drops them. */
export type FindKeptSince = () => Promise<Date | null>;

/** Where that is not known, hours are compared for this long: a vanished count must be seen by the next balance. */
export const vanishedWithinMs = 48 * hourMs;

/** Hours since then of which less is there than was counted before. */
export function findVanished(counted: readonly LedgerHour[], there: readonly LedgerHour[], since: Date): Gap[] {
  const present = new Map(there.map((hour) => [`${hour.hour.toISOString()} ${hour.accountId}`, hour.counts.stored]));
  return counted.flatMap((before) => {
    const left = present.get(`${before.hour.toISOString()} ${before.accountId}`) ?? 0;
    if (left >= before.counts.stored || before.hour < since) return [];
    return [
      {
        stage: 'vanished' as const,
        accountId: before.accountId,
        ...{ deliveryId: null, eventId: null, outboundId: null },
        since: before.hour,
        detail: `${before.counts.stored} were counted, ${left} are there`,
      },
    ];
  });
}
