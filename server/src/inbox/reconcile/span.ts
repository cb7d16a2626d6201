/** Which span to look at: pure. */
import { type Looked, reconcileLimits, type Span } from './reconciliation.ts';

const dayMs = 86_400_000;

/** From a little before the last webhook, which was the last that surely came; a day where there was none. */
export function defaultSpan(lastWebhookAt: Date | null, now: Date): Span {
  const earliestMs = now.getTime() - reconcileLimits.maxSpanDays * dayMs;
  const fromMs = lastWebhookAt ? lastWebhookAt.getTime() - reconcileLimits.overlapMs : now.getTime() - dayMs;
  return { from: new Date(Math.max(fromMs, earliestMs)), until: now };
}

/** There is more in it than is read at once, and it may be asked for in shorter parts. */
export function isToBeDivided(span: Span, { isThrough, filled }: Pick<Looked, 'isThrough' | 'filled'>): boolean {
  return !isThrough && filled >= 1 && lengthMs(span) > reconcileLimits.smallestPartMs;
}

/**
 * How long the part after this one may be, in milliseconds: a quarter where it held too much, since what was read of it has to
 * be read again, and twice as long where that surely fits.
 */
export function nextPartMs(longestMs: number, part: Span, look: Pick<Looked, 'isThrough' | 'filled'>): number {
  const { smallestPartMs, owedPartMs } = reconcileLimits;
  if (isToBeDivided(part, look)) return Math.max(smallestPartMs, Math.floor(lengthMs(part) / 4));
  return look.isThrough && look.filled <= 0.25 ? Math.min(owedPartMs, longestMs * 2) : longestMs;
}

function lengthMs({ from, until }: Span): number {
  return until.getTime() - from.getTime();
}

/** One line about a span that cannot be asked for; null: it can. */
export function spanProblem({ from, until }: Span): string | null {
  if (from >= until) return 'the span ends before it begins';
  const longest = reconcileLimits.maxSpanDays;
  return until.getTime() - from.getTime() > longest * dayMs ? `the span is longer than ${longest} days` : null;
}
