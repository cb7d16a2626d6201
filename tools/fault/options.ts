/** What may be asked for. Wrong use is one line. Pure, and loads nothing of the server. */
import { parseArgs } from 'node:util';

export const runNames = [
  'crash-points',
  'soak',
  'postgres',
  'redis',
  'providers',
  'hostile',
  'noisy-neighbour',
  'herd',
] as const;
export type RunName = (typeof runNames)[number];

/** Bugs that the tests plant. */
export const plantNames = [
  'acknowledge-before-commit',
  'drop-the-unique-key',
  'release-the-lock-early',
  'resend-blindly',
  'apply-only-the-first-receipt',
] as const;
export type PlantName = (typeof plantNames)[number];

/** undefined: as each run has it by itself. */
export interface FaultOptions {
  readonly webhooks: number | undefined;
  readonly kills: number | undefined;
  readonly hits: number | undefined;
  readonly rate: number | undefined;
  readonly seed: number;
  /** Soak: with Redis for jobs, cache, counters and doorbell, which is struck too. */
  readonly hasRedis: boolean;
  /** Of stages: where a freshly made one is kept, to begin from a copy of it. */
  readonly template: string | undefined;
}

export interface Asked {
  readonly what:
    | { readonly kind: 'run'; readonly name: RunName }
    | { readonly kind: 'plant'; readonly name: PlantName };
  readonly options: FaultOptions;
  /** False: the seed was drawn. */
  readonly isSeedGiven: boolean;
  readonly isJson: boolean;
  /** Where the parts that are done are kept. */
  readonly resume: string | undefined;
  /** undefined: this run is one more part of what the file holds. */
  readonly parts: number | undefined;
}

export class WrongUse extends Error {}

const limits = {
  webhooks: 1_000_000,
  kills: 5_000,
  hits: 300,
  rate: 2_000,
  seed: 4_294_967_295,
  parts: 1_000,
} as const;

const flags = {
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  webhooks: { type: 'string' },
  kills: { type: 'string' },
  hits: { type: 'string' },
  rate: { type: 'string' },
  seed: { type: 'string' },
  parts: { type: 'string' },
  resume: { type: 'string' },
  planted: { type: 'string' },
  template: { type: 'string' },
  redis: { type: 'boolean', default: false },
} as const;

const usage = `usage: npm run fault -- ${runNames.join('|')} [--json] [--webhooks N] [--kills N] [--hits N] [--rate N] [--redis] [--seed S] [--parts N --resume FILE] [--template FOLDER] [--help]`;

export const help = `${usage}

  --webhooks N       messages that are sent; --kills N blows spread over them
  --hits N           crash-points: how often each point is struck
  --rate N           messages a second
  --seed S           the same choices again
  --resume FILE      adds this run to those that FILE holds; the sum is printed
  --parts N          with --resume: the webhooks and kills, or the hits, in N runs one after the other, each kept in FILE
                     when it is done. Stopped or killed, the same command goes on with the part that was not done.
                     A part that failed stays failed.
  --template FOLDER  begins from a copy of the stage that FOLDER keeps, or keeps it there for the next run
  --redis            soak: with Redis, which is struck too
  --json             one JSON document as the last line of stdout

  Exit status 1: an invariant is broken, or a part failed. 2: wrong use.

  npm run fault -- soak --webhooks 3000 --kills 6 --seed 7
  npm run fault -- crash-points --hits 30 --parts 30 --seed 1 --resume points.json
  npm run fault -- soak --webhooks 1000000 --kills 500 --rate 300 --parts 50 --seed 1 --resume soak.json`;

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws WrongUse. `env` is asked for the second word that a planted bug wants, and for what is not ours to strike. */
export function parseAsked(args: readonly string[], env: Environment): Asked | 'help' {
  const { values, positionals } = parsed(args);
  if (values.help) return 'help';
  const [webhooks, kills, hits, rate, parts, seed] = (
    ['webhooks', 'kills', 'hits', 'rate', 'parts', 'seed'] as const
  ).map((key) => numberOf(key, values[key]));
  const name = runNames.find((known) => known === positionals[0]);
  if (name === undefined || positionals.length !== 1) throw new WrongUse(usage);
  refuseForeign(env);
  checkParts({ name, parts, resume: values.resume, webhooks, kills, hits });
  const options = { webhooks, kills, hits, rate, hasRedis: values.redis, template: values.template };
  return {
    what: values.planted === undefined ? { kind: 'run', name } : plantOf(values.planted, env),
    options: { ...options, seed: seed ?? Math.floor(Math.random() * 1_000_000) },
    isSeedGiven: seed !== undefined,
    isJson: values.json,
    resume: values.planted === undefined ? values.resume : undefined,
    parts,
  };
}

const databases = [
  'DATABASE_URL',
  'DATABASE_APP_URL',
  'DATABASE_GATEWAY_URL',
  'DATABASE_WORKER_URL',
  'DB_HOST',
] as const;
const addresses = [
  ...['REDIS_URL', 'REDIS_HOST', 'META_GRAPH_URL', 'INSTAGRAM_GRAPH_URL', 'TWILIO_API_URL', 'EVOLUTION_API_URL'],
] as const;
const loopback = /^(?:[a-z]+:\/\/)?(?:[^/@]*@)?(?:127(?:\.\d+){3}|localhost|\[::1\])(?=[:/]|$)/i;

/**
 * A run has a database, a Redis and providers of its own, and hands its processes none of these. Whoever has one set may
 * believe that it would be struck: said before anything is begun.
 */
function refuseForeign(env: Environment): void {
  const database = databases.find((name) => env[name]);
  if (database) throw new WrongUse(`${database} is set: a fault run strikes a database of its own only; unset it`);
  const far = addresses.find((name) => env[name] && !loopback.test(env[name]));
  if (far) throw new WrongUse(`${far} leads away from this machine: a fault run stays on loopback; unset it`);
}

/** What is divided must be named, and there must be something of it for each part. */
function checkParts(asked: {
  readonly name: RunName;
  readonly parts: number | undefined;
  readonly resume: string | undefined;
  readonly webhooks: number | undefined;
  readonly kills: number | undefined;
  readonly hits: number | undefined;
}): void {
  const { name, parts, resume } = asked;
  if (parts === undefined) return;
  if (resume === undefined) throw new WrongUse('--parts is taken with --resume FILE only');
  const divided = name === 'crash-points' ? 'hits' : 'webhooks';
  const total = asked[divided];
  if (total === undefined) throw new WrongUse(`--parts divides --${divided}: how many?`);
  if (parts > total) throw new WrongUse(`--parts ${parts}: there are only ${total} ${divided} to divide`);
}

/** A server with a bug planted in it is for the tests of the checker alone, so it wants to be asked for twice. */
function plantOf(text: string, env: Environment): Asked['what'] {
  if (env.SWITCHYARD_FAULTS !== '1') throw new WrongUse('--planted is taken with SWITCHYARD_FAULTS=1 only');
  const name = plantNames.find((known) => known === text);
  if (!name) throw new WrongUse(`--planted ${text}: one of ${plantNames.join(', ')}`);
  return { kind: 'plant', name };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: flags });
  } catch (error) {
    // Node's explanation goes on for lines.
    throw new WrongUse(error instanceof Error ? error.message.split('\n', 1).join() : String(error));
  }
}

function numberOf(name: keyof typeof limits, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  const isSound = /^\d+$/.test(text) && value >= 1 && value <= limits[name];
  if (!isSound) throw new WrongUse(`--${name} ${text}: a whole number from 1 to ${limits[name]}`);
  return value;
}
