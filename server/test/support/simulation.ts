/**
 * Random schedules against pure state machines, with a fake clock, network and store. A schedule is data, drawn from a
 * seed by fast-check, so a failure shrinks to a short one and comes back from its seed:
 *
 *   SIMULATION=<seed>            runs that seed's schedules
 *   SIMULATION=<seed>/<path>     runs only the one that failed, already shrunk
 *   SIMULATION_RUNS=100000       so many schedules, from a new seed unless SIMULATION names one
 */
import fc from 'fast-check';
import { test } from 'vitest';

export interface Simulation<Schedule> {
  readonly schedules: fc.Arbitrary<Schedule>;
  /** Plays one schedule and throws when a promise is broken. Everything it uses is made in it. */
  play(schedule: Schedule): void | Promise<void>;
}

export interface Draw {
  readonly seed: number;
  readonly runs: number;
  /** Where in the seed's schedules the failing one is; absent: all of them. */
  readonly path?: string;
}

export type Verdict =
  | { readonly kind: 'kept'; readonly runs: number }
  | {
      readonly kind: 'broken';
      readonly seed: number;
      readonly path: string;
      readonly schedule: string;
      readonly reason: string;
      /** What to put before the command that ran the test. */
      readonly replay: string;
    };

/** The seed of `npm test`: the same schedules every time, so that a failure there is the change's own. */
const everydaySeed = 20_261_121;

export async function judge<Schedule>(simulation: Simulation<Schedule>, draw: Draw): Promise<Verdict> {
  const property = fc.asyncProperty(simulation.schedules, async (schedule) => simulation.play(schedule));
  const { seed, runs: numRuns, path } = draw;
  const found = await fc.check(property, { seed, numRuns, ...(path === undefined ? {} : { path }) });
  if (!found.failed) return { kind: 'kept', runs: found.numRuns };
  const at = found.counterexamplePath ?? '';
  return {
    kind: 'broken',
    seed: found.seed,
    path: at,
    schedule: fc.stringify(found.counterexample?.[0]),
    reason: found.errorInstance instanceof Error ? found.errorInstance.message : String(found.errorInstance),
    replay: `SIMULATION=${found.seed}/${at}`,
  };
}

/** A test of so many schedules (fewer or more by the environment). Its failure says how to see it again. */
export function simulate<Schedule>(name: string, runs: number, simulation: Simulation<Schedule>): void {
  test(name, { timeout: 600_000 }, async ({ annotate }) => {
    const draw = drawOf(process.env, runs);
    const verdict = await judge(simulation, draw);
    if (verdict.kind === 'kept') return void (await annotate(`${verdict.runs} schedules of seed ${draw.seed}`));
    throw new Error(`${verdict.reason}\nschedule: ${verdict.schedule}\nagain with: ${verdict.replay}`);
  });
}

export function drawOf(env: Readonly<Record<string, string | undefined>>, runs: number): Draw {
  const wanted = /^(-?\d+)(?:\/([\d:]+))?$/.exec(env.SIMULATION ?? '');
  if (env.SIMULATION && !wanted) throw new Error(`SIMULATION=${env.SIMULATION}: wants <seed> or <seed>/<path>`);
  const many = env.SIMULATION_RUNS ? Number(env.SIMULATION_RUNS) : runs;
  const seed = wanted ? Number(wanted[1]) : env.SIMULATION_RUNS ? Date.now() % 2 ** 31 : everydaySeed;
  return { seed, runs: many, ...(wanted?.[2] ? { path: wanted[2] } : {}) };
}

/** A broken promise, told with what was promised. */
export function keep(isKept: boolean, promise: string): void {
  if (!isKept) throw new Error(`broken: ${promise}`);
}

/** One of `list` by a drawn number; undefined when there is none. */
export function pick<T>(list: readonly T[], draw: number): T | undefined {
  return list[draw % Math.max(1, list.length)];
}
