/** How long to wait before the next attempt to connect, and the waiting itself. */
import { setTimeout as delay } from 'node:timers/promises';

const firstWaitMs = 50;
const longestWaitMs = 5_000;
/** A connection that does not answer within this time is taken for dead. */
export const answerTimeoutMs = 5_000;
/** How often an idle connection is asked whether it is still there: a silent loss is noticed after this long. */
export const heartbeatMs = 15_000;

/** Doubles up to the longest wait, with jitter of a half, so that many processes do not come back in step. */
export function reconnectWaitMs(failures: number, random: () => number, longestMs = longestWaitMs): number {
  const full = Math.min(longestMs, firstWaitMs * 2 ** Math.min(failures, 16));
  return Math.round(full * (0.5 + random() / 2));
}

/** Returns early, without an error, when the signal is given. */
export async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  await delay(waitMs, undefined, { signal, ref: false }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** Rejects after `limitMs`; the work itself goes on, its outcome is dropped. */
export async function within<T>(limitMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
