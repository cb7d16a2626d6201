/** How many deliveries came when, for the small chart. */
export const rateLimits = { bars: 30, longestSpanMs: 15 * 60_000, shortestSpanMs: 60_000 } as const;

export interface Rate {
  readonly spanMs: number;
  readonly counts: readonly number[];
}

/**
 * Counts over the last quarter of an hour, or over as much of it as the loaded rows cover: `isAll` tells whether
 * there are older rows than these. Oldest bar first.
 */
export function rateOf(instants: readonly string[], isAll: boolean, now: number): Rate {
  const times = instants.map((instant) => new Date(instant).getTime());
  const covered = isAll ? Number.POSITIVE_INFINITY : now - Math.min(now, ...times);
  const spanMs = Math.max(Math.min(rateLimits.longestSpanMs, covered), rateLimits.shortestSpanMs);
  const counts = new Array<number>(rateLimits.bars).fill(0);
  for (const time of times) {
    const bar = rateLimits.bars - 1 - Math.floor(((now - time) / spanMs) * rateLimits.bars);
    const index = Math.min(bar, rateLimits.bars - 1);
    if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
  }
  return { spanMs, counts };
}
