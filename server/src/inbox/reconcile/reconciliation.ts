/**
 * Asking a provider for what its webhooks may have failed to bring.
 *
 * Twilio repeats a webhook once at most and Evolution not for long, so a gap of ours loses messages there. Both keep what
 * they carried; it is read for the span, put as the webhooks would have brought it, told apart from what is known by the
 * same keys, and what is left goes through the same door as any delivery, with the route kind `recovered`.
 */
import type { AccountId, ReconciliationId } from '@switchyard/contract';

export interface Span {
  readonly from: Date;
  /** Not included. */
  readonly until: Date;
}

/**
 * `complete`: the provider knew the whole span and all of it was read. `partial`: from `coveredFrom` on only (null:
 * nothing shows that it knew any of it), or not to the end; `detail` says which. `unsupported`: it tells nobody later.
 */
export type ReconciliationState = 'running' | 'complete' | 'partial' | 'unsupported' | 'failed';

export interface Reconciliation {
  readonly id: ReconciliationId;
  readonly accountId: AccountId;
  /** `hourly`: what we refused or the provider gave up without a gap of ours. */
  readonly reason: 'asked' | 'downtime' | 'hourly';
  readonly wantedFrom: Date;
  readonly wantedUntil: Date;
  readonly coveredFrom: Date | null;
  readonly state: ReconciliationState;
  readonly detail: string | null;
  /** Messages and receipts that the provider gave for the span. */
  readonly listed: number;
  /** Those of them that were not known, and were stored as deliveries. */
  readonly recovered: number;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

/** A look with what it is worth. */
export type Looked = Reconciliation & {
  /** False: it was refused or broke off, and asking again may bring more. */
  readonly isThrough: boolean;
  /** The share that it took of what is read at once. 1, and not through: there was more, and a shorter span may be had. */
  readonly filled: number;
};

/** A span in which webhooks of an account may have been lost, and that no look has had all of yet. */
export interface OwedLook extends Span {
  readonly accountId: AccountId;
  readonly owedSince: Date;
  /** Looks that were refused or broke off. */
  readonly tries: number;
  /** Why the last of them did. */
  readonly detail: string | null;
}

export const recoveredRouteKind = 'recovered';

export const reconcileLimits = {
  pageSize: 200,
  /** Of one span: 40,000 messages and receipts at full pages. */
  maxPages: 200,
  /** What is unknown is kept until all is read, so that the oldest is stored first. */
  maxRecovered: 20_000,
  /** Stored at once; the order within is by the provider's clock, like any that arrive together. */
  atOnce: 100,
  maxSpanDays: 31,
  /** Webhooks of this long before a gap may still have been on their way. */
  overlapMs: 10 * 60_000,
  /** How far an hourly look reaches back; one that fails stays owed. */
  hourlyMs: 3 * 3_600_000,
  /** A server that was away for less has lost nothing that providers do not repeat by themselves. */
  downtimeMs: 2 * 60_000,
  /** A look that is owed is tried again after this long, then after twice as long each time, up to the longest. */
  firstPauseMs: 60_000,
  longestPauseMs: 3_600_000,
  /** Of what is owed so much is asked for at once, the oldest first: each part that was had is paid. */
  owedPartMs: 24 * 3_600_000,
  /** Where a part holds more than is read at once a shorter one is asked for, down to this: more than payLook gives back. */
  smallestPartMs: 2 * 60_000,
  /** Of one account in a row; then the other upkeep has its turn. */
  looksPerJob: 8,
  /** A job that is to go on with an account is given so long before another looks. */
  goOnMs: 10 * 60_000,
  /** Given to the workers in one round; those that are left are still due in the next. */
  owedAtOnce: 500,
} as const;
