/** The command: what may be asked for, and what comes of it. Wrong use is one line and exit status 2. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type PlantName, plants, runPlanted } from './planted.ts';
import { failureOf, type Report } from './report.ts';
import { addUp } from './resume.ts';
import { blowNames, postgresBlows, redisBlows } from './runs/blows.ts';
import { crashPoints } from './runs/crash-points.ts';
import { herd } from './runs/herd.ts';
import { hostile } from './runs/hostile.ts';
import { noisyNeighbour } from './runs/noisy-neighbour.ts';
import { providers } from './runs/providers.ts';
import { soak } from './runs/soak.ts';

const options = {
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  webhooks: { type: 'string' },
  kills: { type: 'string' },
  hits: { type: 'string' },
  rate: { type: 'string' },
  seed: { type: 'string' },
  resume: { type: 'string' },
  planted: { type: 'string' },
  redis: { type: 'boolean', default: false },
} as const;

export interface FaultOptions {
  readonly webhooks: number | undefined;
  readonly kills: number | undefined;
  readonly hits: number | undefined;
  readonly rate: number | undefined;
  readonly seed: number;
  /** Soak: with Redis for jobs, cache, counters and doorbell, which is struck too. */
  readonly hasRedis: boolean;
}

const limits = { webhooks: 1_000_000, kills: 5_000, hits: 300, rate: 2_000, seed: 4_294_967_295 } as const;

const withRedis = redisBlows.map((how) => `redis ${how}` as const);

type Run = (options: FaultOptions) => Promise<Report>;

const runs: Readonly<Record<string, Run>> = {
  'crash-points': ({ hits = 1, seed, rate = 25 }) => crashPoints({ hits, seed, ratePerSecond: rate }),
  soak: ({ webhooks = 3_000, kills = 5, seed, rate = 60, hasRedis }) =>
    soak({
      webhooks,
      kills,
      seed,
      ratePerSecond: rate,
      hasRedis,
      blows: hasRedis ? [...blowNames, ...withRedis] : blowNames,
    }),
  postgres: ({ webhooks = 3_000, kills = 8, seed, rate = 60 }) => {
    const blows = [...postgresBlows, 'disk-full' as const].map((how) => `postgres ${how}` as const);
    return soak({
      ...{ name: 'postgres', webhooks, kills, seed, ratePerSecond: rate, blows },
      ...{ faults: [], gateways: 1, hasSmallDisk: true },
    });
  },
  redis: ({ webhooks = 3_000, kills = 6, seed, rate = 60 }) => {
    return soak({
      name: 'redis',
      webhooks,
      kills,
      seed,
      ratePerSecond: rate,
      blows: withRedis,
      faults: [],
      hasRedis: true,
    });
  },
  providers: ({ webhooks = 2_000, seed, rate = 40 }) => providers({ webhooks, seed, ratePerSecond: rate }),
  hostile: ({ webhooks = 1_000, seed, rate = 40 }) => hostile({ webhooks, seed, ratePerSecond: rate }),
  'noisy-neighbour': ({ seed, rate = 2 }) => noisyNeighbour({ seed, quietPerSecond: rate }),
  herd: ({ seed, rate = 60 }) => herd({ seed, ratePerSecond: rate }),
};

const usage = `usage: npm run fault -- ${Object.keys(runs).join('|')} [--json] [--webhooks N] [--kills N] [--hits N] [--rate N] [--redis] [--seed S] [--resume FILE]`;

class WrongUse extends Error {}

export async function runFault(args: readonly string[]): Promise<number> {
  try {
    const asked = parse(args);
    if (asked === 'help') {
      console.log(usage);
      return 0;
    }
    console.error(`${asked.name}: seed ${asked.options.seed}`);
    const report = addUp(asked.resume, await asked.run(asked.options));
    if (asked.resume) writeFileSync(asked.resume, `${JSON.stringify(report)}\n`);
    console.log(asked.isJson ? JSON.stringify(report) : JSON.stringify(report, null, 2));
    const failure = failureOf(report);
    if (failure) console.error(`${report.name} failed (seed ${report.seed}): ${failure}`);
    return failure ? 1 : 0;
  } catch (error) {
    console.error(error instanceof WrongUse ? error.message : error);
    return error instanceof WrongUse ? 2 : 1;
  }
}

function parse(args: readonly string[]) {
  const { values, positionals } = parsed(args);
  if (values.help) return 'help' as const;
  const name = positionals[0];
  const run = name === undefined || positionals.length !== 1 ? undefined : runs[name];
  if (name === undefined || run === undefined) throw new WrongUse(usage);
  const seed = numberOf('seed', values.seed) ?? Math.floor(Math.random() * 1_000_000);
  const [webhooks, kills, hits, rate] = (['webhooks', 'kills', 'hits', 'rate'] as const).map((key) =>
    numberOf(key, values[key]),
  );
  if (values.planted !== undefined) return { ...plantedRun(values.planted, seed), isJson: values.json };
  const resume = values.resume === undefined ? undefined : resumable(values.resume, name);
  return {
    name,
    run,
    isJson: values.json,
    resume,
    options: { seed, webhooks, kills, hits, rate, hasRedis: values.redis },
  };
}

/** A server with a bug planted in it is for the tests of the checker alone, so it wants to be asked for twice. */
function plantedRun(text: string, seed: number) {
  const name = Object.keys(plants).find((known): known is PlantName => known === text);
  if (process.env.SWITCHYARD_FAULTS !== '1') throw new WrongUse('--planted is taken with SWITCHYARD_FAULTS=1 only');
  if (!name) throw new WrongUse(`--planted ${text}: one of ${Object.keys(plants).join(', ')}`);
  const none = { webhooks: undefined, kills: undefined, hits: undefined, rate: undefined, hasRedis: false };
  return { name, resume: undefined, run: () => runPlanted(name, seed), options: { seed, ...none } };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new WrongUse(error instanceof Error ? error.message : String(error));
  }
}

function numberOf(name: keyof typeof limits, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  const isSound = /^\d+$/.test(text) && value >= 1 && value <= limits[name];
  if (!isSound) throw new WrongUse(`--${name} ${text}: a whole number from 1 to ${limits[name]}`);
  return value;
}

/** Looked at before the run: an hour's work must not end in a file that cannot be read. */
function resumable(file: string, name: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return file;
    throw new WrongUse(`--resume ${file} cannot be read`);
  }
  try {
    if ((JSON.parse(text) as Report).name === name) return file;
  } catch {
    // Said below.
  }
  throw new WrongUse(`--resume ${file} is not the report of a run of ${name}`);
}
