import { reconcileLimits, type Span } from '#inbox';
import { markAlive } from './downtime-store.ts';
import type { Product } from './product.ts';

/** Far shorter than the gap that counts as one. */
const aliveMs = 30_000;

/**
 * A sign of life every so often, by the processes that take webhooks. The first one tells how long there was none; after a
 * longer gap every account is reconciled whose provider can be asked.
 */
export function watchDowntime(product: Product): { stop(): void } {
  const { storage, engines, log } = product.foundation;
  const beat = async (isFirst: boolean) => {
    const { before, now } = await markAlive(storage);
    if (!isFirst || !before || now.getTime() - before.getTime() < reconcileLimits.downtimeMs) return;
    const span = spanOfGap(before, now);
    const payload = { from: span.from.toISOString(), until: span.until.toISOString() };
    log.warn(payload, 'webhooks were not taken for a while; asking providers for what was lost');
    await engines.jobs.enqueue('maintenance', { name: 'reconcile-all', id: `gap-${now.getTime()}`, payload });
  };
  const report = (error: unknown) => log.warn({ error: String(error) }, 'the sign of life could not be written');
  beat(true).catch(report);
  const timer = setInterval(() => beat(false).catch(report), aliveMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

function spanOfGap(before: Date, now: Date): Span {
  const longestMs = reconcileLimits.maxSpanDays * 86_400_000;
  const fromMs = Math.max(before.getTime() - reconcileLimits.overlapMs, now.getTime() - longestMs);
  return { from: new Date(fromMs), until: now };
}
