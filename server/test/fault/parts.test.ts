/** `--parts` and `--resume`: a long fault run in pieces, each kept when it is done, all counted as one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type FaultOptions, WrongUse } from '../../../tools/fault/asked.ts';
import { parseAsked } from '../../../tools/fault/options.ts';
import { type PartsPlan, type Progress, partOf, runParts } from '../../../tools/fault/parts.ts';
import { failureOf, type Report } from '../../../tools/fault/report.ts';
import { sumOf } from '../../../tools/fault/sum.ts';
import { keptInvariants, soundTotals } from '../support/fault-report.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-parts-'));
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const options: FaultOptions = {
  ...{ webhooks: 100, kills: 7, hits: undefined, rate: undefined, seed: 10, hasRedis: false, template: undefined },
};
const plan: PartsPlan = { name: 'soak', options, isSeedGiven: true, source: 'this', parts: 3 };

/** As a run of these options would print it. */
function reportOf({ webhooks = 0, kills = 0, seed }: FaultOptions, more: Partial<Report> = {}): Report {
  return {
    ...{
      name: 'soak',
      seed,
      sent: webhooks,
      acked: webhooks,
      kills,
      ...soundTotals,
      uncertain: 1,
      recoveryMs: seed * 100,
    },
    invariants: { ...keptInvariants, I11: null },
    details: { failures: [] },
    ...more,
  };
}

const parts = (file: string) => (JSON.parse(readFileSync(file, 'utf8')) as Progress).done.length;

it('shares the work out, with a seed for each part', () => {
  const shares = [0, 1, 2].map((part) => partOf({ ...options, hits: 2 }, part, 3));
  expect(shares.map(({ webhooks, kills, hits, seed }) => [webhooks, kills, hits, seed])).toEqual([
    [34, 3, 1, 10],
    [33, 2, 1, 11],
    [33, 2, 0, 12],
  ]);
});

it('goes on with the part that was not done, and adds them up', async () => {
  const file = join(folder, 'killed.json');
  const begun: number[] = [];
  // A process that is killed in the middle of its second part never comes to keep it.
  const killed = new Promise<Report>(() => {});
  void runParts(plan, file, (part) => {
    begun.push(part.seed);
    return begun.length === 1 ? Promise.resolve(reportOf(part)) : killed;
  });
  await vi.waitFor(() => expect(begun).toEqual([10, 11]));
  expect(parts(file)).toBe(1);
  const sum = await runParts(plan, file, async (part) => {
    begun.push(part.seed);
    return reportOf(part);
  });
  expect(begun).toEqual([10, 11, 11, 12]);
  expect(sum).toMatchObject({ sent: 100, acked: 100, kills: 7, uncertain: 3, recoveryMs: 1_200, seed: 10 });
  expect(sum.invariants).toMatchObject({ I1: true, I8: null, I11: null });
  expect(sum.details.seeds).toEqual([10, 11, 12]);
  expect(failureOf(sum)).toBeNull();
  const again = await runParts(plan, file, () => Promise.reject(new Error('nothing is left to run')));
  expect(again).toEqual(sum);
});

it('keeps a part that failed or broke off as a failure, whatever comes after it', async () => {
  const file = join(folder, 'failed.json');
  const sum = await runParts(plan, file, async (part) => {
    if (part.seed === 10) throw new Error('the load stands still');
    const isBroken = part.seed === 11;
    return reportOf(part, isBroken ? { lost: 2, invariants: { ...reportOf(part).invariants, I1: false } } : {});
  });
  // What broke off nobody has judged: that is no zero and no truth of the whole.
  expect(sum).toMatchObject({ sent: null, lost: null, recoveryMs: null, invariants: { I1: false, I2: null } });
  expect(sum.details.judged).toMatchObject({ parts: 2, sent: 66, lost: 2 });
  expect(failureOf(sum)).toBe('I1 is broken; seed 10: broke off: the load stands still; seed 11: I1 is broken');
  const resumed = await runParts(plan, file, async (part) => reportOf(part));
  expect(failureOf(resumed)).toBe(failureOf(sum));
});

it('adds single runs, each as large as is asked for', async () => {
  const file = join(folder, 'single.json');
  const single = { ...plan, parts: undefined };
  for (const seed of [1, 2]) {
    const sum = await runParts({ ...single, options: { ...options, seed } }, file, async (part) => reportOf(part));
    expect(sum).toMatchObject({ sent: seed * 100, kills: seed * 7 });
  }
});

it.for([
  ['another seed', { options: { ...options, seed: 11 } }],
  ['another number of parts', { parts: 4 }],
  ['more webhooks', { options: { ...options, webhooks: 101 } }],
  ['another run', { name: 'redis' }],
  ['another version of the program', { source: 'later' }],
] as const)('refuses to go on with %s, before anything is run', async ([, other]) => {
  const file = join(folder, 'other.json');
  await runParts(plan, file, async (part) => reportOf(part));
  const run = vi.fn<() => Promise<Report>>();
  await expect(runParts({ ...plan, ...other }, file, run)).rejects.toThrow(WrongUse);
  expect(run).not.toHaveBeenCalled();
});

it('keeps no part during which the program was changed', async () => {
  const file = join(folder, 'changed.json');
  const sources = ['this', 'other'];
  const changing = { ...plan, readSource: () => sources.shift() ?? null };
  await expect(runParts(changing, file, async (given) => reportOf(given))).rejects.toThrow('while part 2 ran');
  expect(parts(file)).toBe(1);
});

it('refuses a file that cannot be written, before anything is run', async () => {
  const run = vi.fn<() => Promise<Report>>();
  await expect(runParts(plan, join(folder, 'nowhere', 'x.json'), run)).rejects.toThrow(WrongUse);
  expect(run).not.toHaveBeenCalled();
});

it('takes a file in which nothing is done yet for any plan', async () => {
  const file = join(folder, 'stopped.json');
  void runParts(plan, file, () => new Promise<Report>(() => {}));
  expect(parts(file)).toBe(0);
  const sum = await runParts({ ...plan, parts: 2 }, file, async (part) => reportOf(part));
  expect(sum.details.seeds).toEqual([10, 11]);
});

it('refuses a file that holds something else', async () => {
  const file = join(folder, 'foreign.json');
  writeFileSync(file, '{"name":"soak"}');
  await expect(runParts(plan, file, async (part) => reportOf(part))).rejects.toThrow('does not hold parts');
});

it('tells of the parts that are done while the next one runs', async () => {
  const kept: (number | null)[] = [];
  const keep = (soFar: Report) => kept.push(soFar.sent);
  await runParts(plan, join(folder, 'kept.json'), async (part) => reportOf(part), keep);
  expect(kept).toEqual([34, 67, 100]);
});

it('does not go on without Redis with what was begun with it', async () => {
  const file = join(folder, 'redis.json');
  const withRedis = { ...plan, options: { ...options, hasRedis: true } };
  await runParts(withRedis, file, async (part) => reportOf(part));
  const other = runParts(plan, file, async (part) => reportOf(part));
  await expect(other).rejects.toThrow('of another plan: webhooks 100, kills 7, parts 3, with Redis');
});

it('shares the usual number of kills where none is said', () => {
  const asked = parseAsked(['soak', '--webhooks', '6000', '--parts', '4', '--resume', 'x'], {});
  if (asked === 'help') throw new Error('a run was asked for');
  expect([0, 1, 2, 3].map((part) => partOf(asked.options, part, 4).kills)).toEqual([3, 3, 2, 2]);
});

const judged = (seed: number, more: Partial<Report>) => reportOf({ ...options, seed }, more);

it('keeps the worse pair of a quiet workspace', () => {
  const pairs = [
    [50, 60],
    [40, 75],
    [70, 80],
  ].map(([baselineP95Ms, quietP95Ms], seed) =>
    judged(seed, { baselineP95Ms: baselineP95Ms!, quietP95Ms: quietP95Ms! }),
  );
  expect(sumOf(pairs)).toMatchObject({ baselineP95Ms: 40, quietP95Ms: 75 });
});

it('adds the aims up, and tells no recovery where one part had none', () => {
  const aim = { kind: 'gateway kill', aimMs: 5_000, worstMs: 900, count: 2, over: 0, met: true };
  const slow = { ...aim, worstMs: 5_600, count: 1, over: 1, met: false };
  const parts = [aim, slow].map((one, seed) => judged(seed, { details: { failures: [], aims: [one] } }));
  expect(sumOf(parts).details.aims).toEqual([{ ...aim, worstMs: 5_600, count: 3, over: 1, met: false }]);
  expect(sumOf([...parts, judged(3, { recoveryMs: null })]).recoveryMs).toBeNull();
  expect(sumOf([...parts, judged(3, { recoveryMs: null, kills: 0 })]).recoveryMs).toBe(100);
});
