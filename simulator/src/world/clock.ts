/** Time as the stand-ins see it: the wall clock plus whatever `POST /control/advance` added. Milliseconds since 1970. */
export interface Clock {
  now(): number;
  advance(milliseconds: number): void;
}

export function createClock(wallClock: () => number = Date.now): Clock {
  let offsetMs = 0;
  return {
    now: () => wallClock() + offsetMs,
    advance: (milliseconds) => {
      offsetMs += milliseconds;
    },
  };
}

/** Whole seconds, as most providers write time. */
export function secondsOf(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
