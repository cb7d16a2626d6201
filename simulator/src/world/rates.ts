/** A bucket of permits that refills steadily: `capacity` at once, then one every `refillMs`. */
export interface Bucket {
  level: number;
  atMs: number;
}

export interface Rate {
  readonly capacity: number;
  readonly refillMs: number;
}

/** Meta, one number to one user: bursts of 45, then one message in six seconds (providers.md 1.10). */
export const PAIR_RATE: Rate = { capacity: 45, refillMs: 6_000 };

export function perSecond(messages: number): Rate {
  return { capacity: messages, refillMs: 1000 / messages };
}

export function fullBucket(rate: Rate, nowMs: number): Bucket {
  return { level: rate.capacity, atMs: nowMs };
}

/** Takes one permit, or answers false and takes none. */
export function takePermit(bucket: Bucket, rate: Rate, nowMs: number): boolean {
  const refilled = Math.max(0, nowMs - bucket.atMs) / rate.refillMs;
  bucket.level = Math.min(rate.capacity, bucket.level + refilled);
  bucket.atMs = nowMs;
  if (bucket.level < 1) return false;
  bucket.level -= 1;
  return true;
}
