/** Runs that were made one after the other count as one: sums, the longest recovery, an invariant broken once is broken. */
import { existsSync, readFileSync } from 'node:fs';
import { invariantNames } from './check/verdict.ts';
import type { Report } from './report.ts';

export function addUp(file: string | undefined, report: Report): Report {
  if (file === undefined || !existsSync(file)) return report;
  return add(JSON.parse(readFileSync(file, 'utf8')) as Report, report);
}

const sums = [
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
] as const satisfies (keyof Report)[];

export function add(before: Report, now: Report): Report {
  const summed = Object.fromEntries(sums.map((name) => [name, before[name] + now[name]]));
  const runs = [...((before.details.runs as object[] | undefined) ?? [before.details]), now.details];
  const seeds = [...((before.details.seeds as number[] | undefined) ?? [before.seed]), now.seed];
  const failures = runs.flatMap((run) => ('failures' in run ? (run.failures as string[]) : []));
  const recoveries = [before.recoveryMs, now.recoveryMs].filter((ms) => ms !== null);
  return {
    ...now,
    ...summed,
    recoveryMs: recoveries.length === 0 ? null : Math.max(...recoveries),
    invariants: Object.fromEntries(
      invariantNames.map((name) => [name, both(before.invariants[name], now.invariants[name])]),
    ) as Report['invariants'],
    details: { seeds, runs, failures },
  };
}

function both(one: boolean | null, two: boolean | null): boolean | null {
  if (one === null || two === null) return one ?? two;
  return one && two;
}
