/** Reads what is asked for. Wrong use is one line. Pure, and loads nothing of the server. */
import { parseArgs } from 'node:util';
import { type Asked, plantNames, type RunName, runNames, WrongUse } from './asked.ts';
import { type Environment, refuseForeign } from './foreign.ts';
import { sized } from './sizes.ts';
import { type Flag, flags, flagWords, meaningless, plantWords, takenBy, usage } from './taken.ts';

/** From, to. No blow is a sound thing to ask for, and so is the seed 0. */
const limits = {
  webhooks: [1, 1_000_000],
  kills: [0, 5_000],
  hits: [1, 300],
  rate: [1, 2_000],
  seed: [0, 4_294_967_295],
  parts: [1, 1_000],
} as const;

/** Throws WrongUse. `env` is asked for the second word that a planted bug wants, and for what is not ours to strike. */
export function parseAsked(args: readonly string[], env: Environment): Asked | 'help' {
  const { values, positionals } = parsed(args);
  if (values.help) return 'help';
  const name = runNames.find((known) => known === positionals[0]);
  if (name === undefined || positionals.length !== 1) throw new WrongUse(usage);
  checkTaken(name, values);
  const [webhooks, kills, hits, rate, parts, seed] = (
    ['webhooks', 'kills', 'hits', 'rate', 'parts', 'seed'] as const
  ).map((key) => numberOf(key, values[key]));
  refuseForeign(env);
  checkParts({ name, parts, resume: values.resume, webhooks, hits });
  const hasRedis = redisOf(name, values);
  const given = { webhooks, kills, hits, rate, hasRedis, template: values.template };
  return {
    what: values.planted === undefined ? { kind: 'run', name } : plantOf(values.planted, env),
    options: sized(name, { ...given, seed: seed ?? Math.floor(Math.random() * 1_000_000) }),
    isSeedGiven: seed !== undefined,
    isJson: values.json,
    resume: values.resume,
    parts,
  };
}

type Values = ReturnType<typeof parsed>['values'];

/** What would be taken in silence and do nothing. */
function checkTaken(name: RunName, values: Values): void {
  const given = (Object.keys(flags) as Flag[]).filter((flag) => values[flag] !== undefined);
  const strange = meaningless(name, given);
  if (strange === null) return;
  if (values.planted !== undefined) throw new WrongUse(`--${strange} means nothing to a planted bug`);
  const taken = takenBy(name).filter((flag) => flag !== 'planted');
  throw new WrongUse(`--${strange} means nothing to ${name}; it takes ${flagWords(taken)}`);
}

function redisOf(name: RunName, values: Values): boolean | undefined {
  if (name === 'redis') return true;
  if (name !== 'soak') return false;
  if (values.redis && values['no-redis']) throw new WrongUse('--redis and --no-redis: which of them?');
  return values['no-redis'] ? false : values.redis;
}

/** What is divided must be named, and there must be something of it for each part. */
function checkParts(asked: {
  readonly name: RunName;
  readonly parts: number | undefined;
  readonly resume: string | undefined;
  readonly webhooks: number | undefined;
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
  if (!name) throw new WrongUse(`--planted ${text}: one of ${plantWords}`);
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
  const [least, most] = limits[name];
  const isSound = /^\d+$/.test(text) && value >= least && value <= most;
  if (!isSound) throw new WrongUse(`--${name} ${text}: a whole number from ${least} to ${most}`);
  return value;
}
