/** A stop has its time, and what is not done by then is left behind: a process that hangs is killed, which is worse. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '#kernel';

export interface Deadline {
  /** Never below zero. */
  leftMs(): number;
}

export function deadlineIn(ms: number): Deadline {
  const at = performance.now() + ms;
  return { leftMs: () => Math.max(0, at - performance.now()) };
}

/** Where the loop stood still, the timer and the answers that came meanwhile are due together: those are looked at too. */
const lastLookMs = 100;

/** False: it had not ended by then, and goes on alone. Rejects as the work does. */
export async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const { signal } = timer;
  const late = pause(ms, undefined, { signal })
    .then(() => pause(lastLookMs, false, { signal }))
    .catch(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer.abort();
  }
}

/** All at once, each of them waited for until then. What is late, or rejects, is named in the log and holds up nobody. */
export async function endInTime(parts: Parts, ms: number, log: Log): Promise<void> {
  const endOne = async ([part, work]: [string, Promise<unknown> | undefined]) => {
    try {
      if (work && !(await endsWithin(work, ms)))
        log.error({ part }, 'a part did not stop in time; going on without it');
    } catch (error) {
      log.error({ part, error: String(error) }, 'a part did not stop well');
    }
  };
  await Promise.all(Object.entries(parts).map(endOne));
}

/** One after the other. Without a deadline each is waited for, and rejects as it does. */
export async function closeInTime(closers: Closers, deadline: Deadline | undefined, log: Log): Promise<void> {
  for (const [part, close] of closers) {
    if (deadline) await endInTime({ [part]: close() }, deadline.leftMs(), log);
    else await close();
  }
}

export type Closers = readonly (readonly [part: string, close: () => Promise<unknown>])[];

/** By name; undefined: this process has none. */
export type Parts = Readonly<Record<string, Promise<unknown> | undefined>>;
