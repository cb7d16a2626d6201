/**
 * A long run in parts: each is a run of its own, kept in a file when it is done, and all count as one. Whoever is stopped or
 * killed goes on with the part that was not done, from its beginning and with its seed.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type FaultOptions, WrongUse } from './asked.ts';
import { brokenOff, failureOf, type Report } from './report.ts';
import { sumOf } from './sum.ts';

export interface PartsPlan {
  readonly name: string;
  /** Of all parts together. */
  readonly options: FaultOptions;
  readonly isSeedGiven: boolean;
  /** undefined: one more than the file holds, as large as `options` say. */
  readonly parts: number | undefined;
  /** Of what is run; null: unknown, and not compared. */
  readonly source: string | null;
  /** Asked again after each part. */
  readonly readSource?: () => string | null;
}

/** What stands in the file. */
export interface Progress {
  readonly name: string;
  /** In words, so that parts of another run are not added; null: parts that were made one by one. */
  readonly plan: string | null;
  readonly seed: number;
  /** Parts that tried another program prove nothing of this one. */
  readonly source: string | null;
  readonly done: readonly Report[];
}

/**
 * Throws WrongUse before anything is run where the file is of another run, or cannot be read. `keep` is told the sum of the
 * parts that are done, for whoever must tell of them when this one is stopped.
 */
export async function runParts(
  plan: PartsPlan,
  file: string,
  run: (options: FaultOptions) => Promise<Report>,
  keep: (soFar: Report) => void = () => {},
): Promise<Report> {
  let progress = load(file, plan);
  // Before the first part, which takes minutes.
  saveOrRefuse(file, progress);
  const total = plan.parts ?? progress.done.length + 1;
  if (progress.done.length > 0) keep(sumOf(progress.done));
  while (progress.done.length < total) {
    const part = progress.done.length;
    const options =
      plan.parts === undefined ? plan.options : partOf({ ...plan.options, seed: progress.seed }, part, total);
    console.error(`part ${part + 1} of ${total}: seed ${options.seed}`);
    const report = await runOnce(plan.name, options, run);
    if (plan.readSource && plan.readSource() !== plan.source)
      throw new WrongUse(`the program was changed while part ${part + 1} ran: that part is not kept`);
    console.error(`part ${part + 1} of ${total}: ${failureOf(report) ?? 'held'}`);
    progress = { ...progress, done: [...progress.done, report] };
    save(file, progress);
    keep(sumOf(progress.done));
  }
  return sumOf(progress.done);
}

/** What breaks off is told of too, as a failure. */
export async function runOnce(
  name: string,
  options: FaultOptions,
  run: (options: FaultOptions) => Promise<Report>,
): Promise<Report> {
  try {
    return await run(options);
  } catch (error) {
    console.error(error);
    return brokenOff(name, options.seed, `broke off: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** An equal share, the remainder spread over the first ones; each part has a seed of its own. */
export function partOf(options: FaultOptions, part: number, parts: number): FaultOptions {
  const share = (total: number | undefined) =>
    total === undefined ? undefined : Math.floor(total / parts) + (part < total % parts ? 1 : 0);
  const { webhooks, kills, hits, seed } = options;
  return { ...options, webhooks: share(webhooks), kills: share(kills), hits: share(hits), seed: seed + part };
}

function load(file: string, plan: PartsPlan): Progress {
  const words = plan.parts === undefined ? null : wordsOf(plan);
  const fresh = { name: plan.name, plan: words, seed: plan.options.seed, source: plan.source, done: [] };
  if (!existsSync(file)) return fresh;
  const found = read(file);
  if (found === null || found.name !== plan.name)
    throw new WrongUse(`--resume ${file} does not hold parts of a run of ${plan.name}`);
  if (found.done.length === 0) return fresh;
  if (found.source !== plan.source)
    throw new WrongUse(`--resume ${file} holds parts that tried another version of the program; begin a new file`);
  if (words === null) return found;
  const isSame = found.plan === words && (!plan.isSeedGiven || found.seed === plan.options.seed);
  if (!isSame) throw new WrongUse(`--resume ${file} holds parts of another plan: ${found.plan}, seed ${found.seed}`);
  return found;
}

function read(file: string): Progress | null {
  try {
    const found = JSON.parse(readFileSync(file, 'utf8')) as Partial<Progress> | null;
    return Array.isArray(found?.done) && typeof found.seed === 'number' ? (found as Progress) : null;
  } catch {
    // Not ours, or not to be read: said by whoever asked.
    return null;
  }
}

function wordsOf({ name, options, parts }: PartsPlan): string {
  const { webhooks, kills, hits, rate, hasRedis } = options;
  const named = Object.entries({ webhooks, kills, hits, rate, parts }).filter(([, value]) => value !== undefined);
  return `${named.map(([name, value]) => `${name} ${value}`).join(', ')}${redisWords(name, hasRedis)}`;
}

/** Only a soak has it or has it not. */
function redisWords(name: string, hasRedis: boolean | undefined): string {
  if (name !== 'soak') return '';
  return hasRedis ? ', with Redis' : ', without Redis';
}

/** In one step: who is killed in the middle of it leaves the parts before. */
function save(file: string, progress: Progress): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(progress)}\n`);
  renameSync(draft, file);
}

function saveOrRefuse(file: string, progress: Progress): void {
  try {
    save(file, progress);
  } catch (error) {
    throw new WrongUse(`--resume ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
