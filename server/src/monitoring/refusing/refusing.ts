/**
 * Refused webhooks, as rules. A process that takes webhooks keeps the span in which it refuses them: it begins with a refusal,
 * goes on while there are more, and is over after a while without. The spans of all processes are one incident: open as long as
 * any was refused lately, and ended when webhooks were taken for long enough since the last. Pure.
 */
import { type RefusalReason, refusalReasons } from '@switchyard/contract';

export const refusingLimits = {
  /** After so long without a refusal webhooks are taken again. Longer than a look at a silent database lasts. */
  overAfterMs: 15_000,
  /** A database that restarts or fails over is nobody's alarm: providers come again. */
  briefMs: 15_000,
  /** After so long without a refusal the incident has ended; a refusal before that belongs to it. */
  calmMs: 120_000,
} as const;

/** As a process keeps it, in milliseconds of its own clock. */
export interface RefusedSpan {
  readonly beganMs: number;
  readonly lastMs: number;
  readonly reasons: readonly RefusalReason[];
}

/** `isTold`: somebody knows of the span before, so that what comes within the calm belongs to it. null: a span of its own. */
export function lengthen(span: RefusedSpan, found: readonly RefusalReason[], at: At): RefusedSpan | null {
  const { calmMs, overAfterMs } = refusingLimits;
  if (at.nowMs - span.lastMs > (at.isTold ? calmMs : overAfterMs)) return null;
  return { ...span, lastMs: at.nowMs, reasons: inOrder([...span.reasons, ...found]) };
}

export interface At {
  readonly nowMs: number;
  readonly isTold: boolean;
}

export function isOver({ lastMs }: RefusedSpan, nowMs: number): boolean {
  return nowMs - lastMs >= refusingLimits.overAfterMs;
}

export function isWorthTelling({ beganMs, lastMs, reasons }: RefusedSpan): boolean {
  return reasons.some((reason) => reason !== 'database') || lastMs - beganMs >= refusingLimits.briefMs;
}

/** As it stands in the database, by the database's clock. */
export interface Refusal {
  readonly id: string;
  readonly reasons: readonly RefusalReason[];
  readonly beganAt: Date;
  readonly lastAt: Date;
  readonly isOver: boolean;
  /** Whoever waits for webhooks has heard of it as it is. */
  readonly isTold: boolean;
}

export interface Refusals {
  readonly now: Date;
  /** When a process that takes webhooks last gave a sign. null: never. */
  readonly aliveAt: Date | null;
  readonly refusals: readonly Refusal[];
}

/** `waiting`: none was refused lately, but nothing says either that they are taken again. */
export type RefusingVerdict =
  | { readonly kind: 'none' | 'waiting' | 'over' }
  | { readonly kind: 'refusing'; readonly isNews: boolean; readonly facts: RefusingFacts };

/** `until` null: they are refused now. */
export type RefusingFacts = Readonly<Record<'reasons' | 'since', string> & { until: string | null }>;

export function judgeRefusals({ now, aliveAt, refusals }: Refusals): RefusingVerdict {
  if (refusals.length === 0) return { kind: 'none' };
  const isLate = ({ lastAt }: Refusal) => now.getTime() - lastAt.getTime() < refusingLimits.calmMs;
  const isNews = refusals.some(({ isTold }) => !isTold);
  if (isNews || refusals.some(isLate)) {
    const isNow = refusals.some((refusal) => !refusal.isOver && isLate(refusal));
    return { kind: 'refusing', isNews, facts: factsOf(refusals, isNow) };
  }
  const lastMs = Math.max(...refusals.map(({ lastAt }) => lastAt.getTime()));
  return { kind: aliveAt && aliveAt.getTime() > lastMs ? 'over' : 'waiting' };
}

function factsOf(refusals: readonly Refusal[], isNow: boolean): RefusingFacts {
  const reasons = inOrder(refusals.flatMap((refusal) => refusal.reasons));
  // A gap in the signs of life says less than a process that was there.
  const named = reasons.length > 1 ? reasons.filter((reason) => reason !== 'away') : reasons;
  const instant = (ms: number) => new Date(ms).toISOString();
  return {
    reasons: named.join(', '),
    since: instant(Math.min(...refusals.map(({ beganAt }) => beganAt.getTime()))),
    until: isNow ? null : instant(Math.max(...refusals.map(({ lastAt }) => lastAt.getTime()))),
  };
}

/** Each once. */
function inOrder(reasons: readonly RefusalReason[]): readonly RefusalReason[] {
  return refusalReasons.filter((reason) => reasons.includes(reason));
}
