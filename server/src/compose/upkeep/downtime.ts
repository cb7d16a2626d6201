import { reconcileLimits, type Span } from '#inbox';
import type { Log } from '#kernel';
import type { Storage } from '#storage';
import { markAlive } from './downtime-store.ts';

/** Far shorter than the gap that counts as one. */
const aliveMs = 30_000;

export interface DowntimeDeps {
  readonly storage: Storage;
  readonly log: Log;
  /** Nobody took webhooks in this span. */
  readonly gap: (span: Span) => Promise<void>;
}

export interface Downtime {
  /** Settled when the first sign of life is written, and a gap before it told. */
  readonly first: Promise<void>;
  stop(): void;
}

/**
 * A sign of life every so often, by the processes that take webhooks. The first one tells how long there was none; after a
 * longer gap every account is reconciled whose provider can be asked.
 */
export function watchDowntime({ storage, log, gap }: DowntimeDeps): Downtime {
  const beat = async (isFirst: boolean) => {
    const { before, now } = await markAlive(storage);
    if (!isFirst || !before || now.getTime() - before.getTime() < reconcileLimits.downtimeMs) return;
    const span = spanOfGap(before, now);
    log.warn({ ...span }, 'webhooks were not taken for a while; asking providers for what was lost');
    await gap(span);
  };
  const report = (error: unknown) => log.warn({ error: String(error) }, 'the sign of life could not be written');
  const first = beat(true).catch(report);
  const timer = setInterval(() => void beat(false).catch(report), aliveMs);
  timer.unref();
  return { first, stop: () => clearInterval(timer) };
}

/** With what came shortly before it, and cut to what may be asked for. */
export function spanOfGap(before: Date, now: Date): Span {
  const longestMs = reconcileLimits.maxSpanDays * 86_400_000;
  const fromMs = Math.max(before.getTime() - reconcileLimits.overlapMs, now.getTime() - longestMs);
  return { from: new Date(fromMs), until: now };
}
