/** Several runs as one. Pure. */
import { invariantNames } from './check/verdict.ts';
import { type Figures, failureOf, figureNames, isJudged, type Report } from './report.ts';
import { type Aim, addAims } from './runs/aims.ts';

/**
 * Sums, the longest recovery, the worse pair of a quiet workspace; an invariant broken once is broken. What one of them came to
 * no judgement of nobody has judged of the whole: null; the sums of those that were judged stand in the details.
 */
export function sumOf(reports: readonly Report[]): Report {
  const [first, ...others] = reports.map(withSeed) as [Report, ...Report[]];
  if (others.length === 0) return first;
  const all = [first, ...others];
  const judged = all.filter(isJudged);
  const failures = all.flatMap(({ details }) => details.failures as string[]);
  const aims = addAims(all.flatMap(({ details }) => (details.aims ?? []) as Aim[]));
  return {
    ...first,
    ...figuresOf(all),
    recoveryMs: recoveryOf(all),
    invariants: Object.fromEntries(
      invariantNames.map((name) => [
        name,
        together(all.map((one) => (isJudged(one) ? one.invariants[name] : 'unknown'))),
      ]),
    ) as Report['invariants'],
    ...quietOf(judged),
    details: {
      seeds: all.map(({ seed }) => seed),
      ...(judged.length < all.length ? { judged: { parts: judged.length, ...figuresOf(judged) } } : {}),
      aims,
      runs: all.map(({ details }) => details),
      failures,
    },
  };
}

/** What failed is told with the seed that brings it back. */
function withSeed(report: Report): Report {
  const failure = failureOf(report);
  const failures = failure === null ? [] : [`seed ${report.seed}: ${failure}`];
  return { ...report, details: { ...report.details, failures } };
}

function figuresOf(all: readonly Report[]): Figures {
  const sum = (name: keyof Figures) =>
    all.reduce<number | null>((so, one) => (so === null || one[name] === null ? null : so + one[name]), 0);
  return Object.fromEntries(figureNames.map((name) => [name, sum(name)])) as Figures;
}

/** null: in none of them was anybody killed, or in one of them not everybody was seen whole again. */
function recoveryOf(all: readonly Report[]): number | null {
  const struck = all.filter(({ kills }) => kills !== 0).map(({ recoveryMs }) => recoveryMs);
  if (struck.length === 0 || struck.includes(null)) return null;
  return Math.max(...struck.filter((ms) => ms !== null));
}

/** null is without a subject there, and takes nothing from the others; unknown does. */
function together(all: readonly (boolean | null | 'unknown')[]): boolean | null {
  if (all.includes(false)) return false;
  if (all.includes('unknown')) return null;
  return all.includes(true) ? true : null;
}

/** The pair in which the loud one did most harm. */
function quietOf(judged: readonly Report[]): Pick<Report, 'quietP95Ms' | 'baselineP95Ms'> {
  const pairs = judged.flatMap(({ quietP95Ms, baselineP95Ms }) =>
    typeof quietP95Ms === 'number' && typeof baselineP95Ms === 'number' ? [{ quietP95Ms, baselineP95Ms }] : [],
  );
  const harm = (pair: { quietP95Ms: number; baselineP95Ms: number }) =>
    pair.quietP95Ms / Math.max(1, pair.baselineP95Ms);
  return pairs.toSorted((one, other) => harm(other) - harm(one))[0] ?? {};
}
