/** What a run prints. Pure. */
import type { Evidence, Invariants, Totals } from './check/verdict.ts';
import { invariantNames, invariantsOf, totalsOf } from './check/verdict.ts';

export const figureNames = [
  'sent',
  'acked',
  'lost',
  'doubleEffects',
  'doubleSends',
  'unflaggedDoubleSends',
  'uncertain',
  'outOfOrder',
  'crossed',
  'kills',
] as const satisfies (keyof Totals | 'sent' | 'acked' | 'kills')[];

/** null, all of them: the run broke off, and nobody has judged. */
export type Figures = Readonly<Record<(typeof figureNames)[number], number | null>>;

export interface Report extends Figures {
  readonly name: string;
  readonly seed: number;
  /** The longest of all; by kind in the details. null: nothing was killed, or not everybody was seen whole again. */
  readonly recoveryMs: number | null;
  readonly invariants: Invariants;
  /** `noisy-neighbour`: from a quiet workspace's webhook to its recorded reply, beside a loud one and alone. */
  readonly quietP95Ms?: number | null;
  readonly baselineP95Ms?: number | null;
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

/** What is told of a run that came to no judgement: it proves nothing, and is a failure. */
export function brokenOff(name: string, seed: number, why: string): Report {
  const figures = Object.fromEntries(figureNames.map((figure) => [figure, null])) as Figures;
  const invariants = Object.fromEntries(invariantNames.map((one) => [one, null])) as Invariants;
  const quiet = name === 'noisy-neighbour' ? { quietP95Ms: null, baselineP95Ms: null } : {};
  return { name, seed, ...figures, recoveryMs: null, invariants, ...quiet, details: { failures: [why] } };
}

export function isJudged(report: Report): boolean {
  return figureNames.every((figure) => report[figure] !== null);
}

/** Null when everything held; else one line. */
export function failureOf(report: Report): string | null {
  const broken = invariantNames.filter((name) => report.invariants[name] === false);
  const failures = (report.details.failures ?? []) as readonly string[];
  const words = [...broken.map((name) => `${name} is broken`), ...failures];
  return words.length === 0 ? null : words.join('; ');
}
