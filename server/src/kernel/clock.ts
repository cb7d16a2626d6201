/** Time as an argument. `now` is the wall clock, for records; `elapsedMs` is monotonic, for durations. */
export interface Clock {
  now(): Date;
  elapsedMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
};

/** A clock for tests: stands still until told to move. */
export function fixedClock(start: string | Date): Clock & { advanceMs(ms: number): void } {
  let nowMs = new Date(start).getTime();
  const startMs = nowMs;
  return {
    now: () => new Date(nowMs),
    elapsedMs: () => nowMs - startMs,
    advanceMs(ms) {
      nowMs += ms;
    },
  };
}
