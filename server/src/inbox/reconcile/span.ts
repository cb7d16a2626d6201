/** Which span to look at: pure. */
import { reconcileLimits, type Span } from './reconciliation.ts';

const dayMs = 86_400_000;

/** From a little before the last webhook, which was the last that surely came; a day where there was none. */
export function defaultSpan(lastWebhookAt: Date | null, now: Date): Span {
  const earliestMs = now.getTime() - reconcileLimits.maxSpanDays * dayMs;
  const fromMs = lastWebhookAt ? lastWebhookAt.getTime() - reconcileLimits.overlapMs : now.getTime() - dayMs;
  return { from: new Date(Math.max(fromMs, earliestMs)), until: now };
}

/** One line about a span that cannot be asked for; null: it can. */
export function spanProblem({ from, until }: Span): string | null {
  if (from >= until) return 'the span ends before it begins';
  const longest = reconcileLimits.maxSpanDays;
  return until.getTime() - from.getTime() > longest * dayMs ? `the span is longer than ${longest} days` : null;
}
