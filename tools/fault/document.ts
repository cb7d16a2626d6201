/** The one document of a run on stdout, whatever becomes of the run: it ends, breaks off, or is stopped. */
import { brokenOff, failureOf, type Report } from './report.ts';

export interface DocumentPlan {
  readonly name: string;
  readonly seed: number;
  readonly isJson: boolean;
}

export interface RunDocument {
  /** What is told if the run comes to no end: the sum of the parts that are done. */
  keep(soFar: Report): void;
  /** The last line of stdout. Once; what comes later is not told any more. Gives the exit status. */
  print(report: Report): 0 | 1;
  /** Nothing was run, so there is nothing to tell. */
  withhold(): void;
}

const stoppedStatus = 130;

/** From now on this process leaves a document behind, however it ends; only SIGKILL is quicker. */
export function openDocument({ name, seed, isJson }: DocumentPlan): RunDocument {
  let soFar: Report | null = null;
  let isPrinted = false;
  let why = 'broke off: the process ended before the run did';
  const print = (report: Report): 0 | 1 => {
    if (isPrinted) return 1;
    isPrinted = true;
    console.log(isJson ? JSON.stringify(report) : JSON.stringify(report, null, 2));
    const failure = failureOf(report);
    if (failure) console.error(`${report.name} failed (seed ${report.seed}): ${failure}`);
    return failure ? 1 : 0;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      why = `stopped by ${signal}`;
      process.exit(stoppedStatus);
    });
  }
  process.once('exit', () => {
    if (!isPrinted) print(soFar === null ? brokenOff(name, seed, why) : notTheWhole(soFar, why));
  });
  return {
    keep: (report) => {
      soFar = report;
    },
    print,
    withhold: () => {
      isPrinted = true;
    },
  };
}

/** What is done counts; the rest is said to be missing. */
function notTheWhole(report: Report, why: string): Report {
  const failures = [...(report.details.failures as readonly string[]), `${why}: only what was done before is told`];
  return { ...report, details: { ...report.details, failures } };
}
