/**
 * How long a workspace keeps its raw records: pure. Days are counted in whole days of UTC, since a day is what is dropped.
 * A day's partition goes when the longest policy of all workspaces has ended; a workspace with a shorter one has its rows
 * of that day emptied until then (docs/decisions/0011-retention-and-erasure.md).
 */
import { dayMs, dayOf } from '#storage';

export interface RetentionPolicy {
  /** Bodies and headers of what providers delivered. */
  readonly deliveryDays: number;
  /** Tries to send, with what the provider answered. */
  readonly attemptDays: number;
}

export const defaultPolicy: RetentionPolicy = { deliveryDays: 14, attemptDays: 30 };

export const retentionLimits = {
  leastDays: 1,
  mostDays: 400,
  /** Meta repeats a webhook for seven days. */
  leastKeyDays: 8,
  rowsPerSlice: 500,
  keysPerSlice: 2_000,
  /** Of one workspace in one run; the next run goes on. */
  slicesPerRun: 400,
  clocksApartMs: 60_000,
} as const;

/** What is stored in a workspace's settings; anything that is no policy counts as none. */
export function readPolicy(stored: unknown): RetentionPolicy {
  const given = (typeof stored === 'object' && stored !== null ? stored : {}) as Readonly<Record<string, unknown>>;
  return {
    deliveryDays: daysOr(given.deliveryDays, defaultPolicy.deliveryDays),
    attemptDays: daysOr(given.attemptDays, defaultPolicy.attemptDays),
  };
}

function daysOr(value: unknown, otherwise: number): number {
  const { leastDays, mostDays } = retentionLimits;
  const isDays = typeof value === 'number' && Number.isInteger(value) && value >= leastDays && value <= mostDays;
  return isDays ? value : otherwise;
}

/** For how long the server as a whole keeps a day. */
export function longestOf(policies: readonly RetentionPolicy[]): RetentionPolicy {
  if (policies.length === 0) return defaultPolicy;
  return {
    deliveryDays: Math.max(...policies.map((policy) => policy.deliveryDays)),
    attemptDays: Math.max(...policies.map((policy) => policy.attemptDays)),
  };
}

/** The first day that is kept, as its first moment: what is older goes. */
export function firstKeptDay(now: Date, days: number): Date {
  return new Date(dayOf(now) - days * dayMs);
}

/** A delivery that is still kept may be replayed, and must find its keys. */
export function keyDays(policy: RetentionPolicy): number {
  return Math.max(retentionLimits.leastKeyDays, policy.deliveryDays + 1);
}
