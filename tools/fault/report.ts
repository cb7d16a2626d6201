/** What a run prints. Pure. */
import type { Evidence, Invariants, Totals } from './check/verdict.ts';
import { invariantNames, invariantsOf, totalsOf } from './check/verdict.ts';

export interface Report extends Totals {
  readonly name: string;
  readonly seed: number;
  readonly sent: number;
  readonly acked: number;
  readonly kills: number;
  /** The longest of all; by kind in the details. null: nothing was killed, or not everybody was whole again. */
  readonly recoveryMs: number | null;
  readonly invariants: Invariants;
  /** `noisy-neighbour`: from a quiet workspace's webhook to its recorded reply, beside a loud one and alone. */
  readonly quietP95Ms?: number;
  readonly baselineP95Ms?: number;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface RunFacts {
  readonly name: string;
  readonly seed: number;
  readonly sent: number;
  readonly acked: number;
  readonly kills: number;
  readonly recoveryMs: number | null;
  readonly evidence: Evidence;
  /** Each is a reason to fail, in plain words: a point never hit, a process that ended by itself. */
  readonly failures: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
}

export function reportOf(facts: RunFacts): Report {
  const { name, seed, sent, acked, kills, recoveryMs, evidence, failures } = facts;
  const { lost, doubleEffects, doubleSends, unflaggedDoubleSends, uncertain, outOfOrder, crossed } = totalsOf(evidence);
  const { counts, subjects } = evidence;
  return {
    ...{
      name,
      seed,
      sent,
      acked,
      lost,
      doubleEffects,
      doubleSends,
      unflaggedDoubleSends,
      uncertain,
      outOfOrder,
      crossed,
    },
    ...{ kills, recoveryMs },
    invariants: invariantsOf(evidence),
    details: { ...facts.details, failures, counts, subjects },
  };
}

/** Null when everything held; else one line. */
export function failureOf(report: Report): string | null {
  const broken = invariantNames.filter((name) => report.invariants[name] === false);
  const failures = (report.details.failures ?? []) as readonly string[];
  const words = [...broken.map((name) => `${name} is broken`), ...failures];
  return words.length === 0 ? null : words.join('; ');
}
