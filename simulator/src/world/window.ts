/** The 24-hour service window and the rate limits of one number. All change only the number they are given. */
import type { SimNumber } from './number.ts';
import { fullBucket, PAIR_RATE, perSecond, takePermit } from './rates.ts';

export const WINDOW_MS = 24 * 3_600_000;
/** A conversation from a click-to-WhatsApp advertisement stays open for 72 hours (providers.md 1.4). */
export const ENTRY_POINT_WINDOW_MS = 72 * 3_600_000;

export function openWindow(number: SimNumber, customer: string, nowMs: number): void {
  const known = number.lastInboundMs.get(customer);
  if (known === undefined || known < nowMs) number.lastInboundMs.set(customer, nowMs);
}

export function isWindowOpen(number: SimNumber, customer: string, nowMs: number, lengthMs = WINDOW_MS): boolean {
  if (!number.window) return true;
  const last = number.lastInboundMs.get(customer);
  return last !== undefined && nowMs - last < lengthMs;
}

export type LimitHit = 'number' | 'pair';

/** Takes a permit of the number and of the pair, or says which one is used up. */
export function takeSendPermit(number: SimNumber, customer: string, nowMs: number): LimitHit | null {
  if (!takesNumberPermit(number, nowMs)) return 'number';
  if (!number.limits.pair) return null;
  const bucket = number.pairs.get(customer) ?? fullBucket(PAIR_RATE, nowMs);
  const isTaken = takePermit(bucket, PAIR_RATE, nowMs);
  number.pairs.set(customer, bucket);
  return isTaken ? null : 'pair';
}

function takesNumberPermit(number: SimNumber, nowMs: number): boolean {
  if (number.limits.perSecond === null) return true;
  const rate = perSecond(number.limits.perSecond);
  number.bucket ??= fullBucket(rate, nowMs);
  return takePermit(number.bucket, rate, nowMs);
}
