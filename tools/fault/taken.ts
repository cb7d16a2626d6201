/** Which options mean something to which run, and what is said of them. An option that means nothing is refused. */
import { plantNames, type RunName, runNames } from './asked.ts';

export const flags = {
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
  redis: { type: 'boolean' },
  'no-redis': { type: 'boolean' },
} as const;
export type Flag = keyof typeof flags;

/** Of every run. */
const always: readonly Flag[] = ['json', 'help', 'seed', 'resume'];

/** What is of one run alone. Stages of `postgres` and `herd` are made in another way: they have no template. */
const ofRun: Readonly<Record<RunName, readonly Flag[]>> = {
  'crash-points': ['hits', 'rate', 'parts', 'template', 'planted'],
  soak: ['webhooks', 'kills', 'rate', 'redis', 'no-redis', 'parts', 'template', 'planted'],
  postgres: ['webhooks', 'kills', 'rate', 'parts'],
  redis: ['webhooks', 'kills', 'rate', 'parts', 'template'],
  providers: ['webhooks', 'rate', 'parts', 'template'],
  hostile: ['webhooks', 'rate', 'parts', 'template'],
  'noisy-neighbour': ['webhooks', 'rate', 'template'],
  herd: ['rate'],
};

/** A planted bug has a run of its own, of its own size. */
const ofPlant: readonly Flag[] = ['json', 'help', 'seed', 'template', 'planted'];

export function takenBy(name: RunName): readonly Flag[] {
  return [...ofRun[name], ...always];
}

/** The first of `given` that means nothing there; null: each of them does. */
export function meaningless(name: RunName, given: readonly Flag[]): Flag | null {
  const taken = given.includes('planted') ? ofPlant : takenBy(name);
  return given.find((flag) => !taken.includes(flag)) ?? null;
}

const values: Readonly<Partial<Record<Flag, string>>> = {
  ...{ webhooks: ' N', kills: ' N', hits: ' N', rate: ' N', parts: ' N', seed: ' S' },
  ...{ resume: ' FILE', template: ' FOLDER', planted: ' BUG' },
};

/** As they are typed. */
export function flagWords(flagNames: readonly Flag[]): string {
  return flagNames.map((flag) => `--${flag}${values[flag] ?? ''}`).join(' ');
}

const does: Readonly<Record<RunName, string>> = {
  'crash-points': 'each named point of both walks is struck, under load',
  soak: 'every process, Postgres and Redis, killed, ended and frozen at random, and faults of the provider',
  postgres: 'killed whole, one backend, stopped at once, frozen, its disk full',
  redis: 'killed and back empty, flushed, frozen',
  providers: 'limits, errors before and after acceptance, resets, drips, wrong ids …',
  hostile: 'at every provider’s door: bodies, signatures, guesses, another’s numbers …',
  'noisy-neighbour': 'a quiet workspace beside one that is written to fifty times as much',
  herd: 'all accounts at once: cold caches, an outage, both gateways',
};

const example: Readonly<Record<RunName, string>> = {
  'crash-points': '--hits 30 --parts 30 --seed 1 --resume points.json',
  soak: '--webhooks 1000000 --kills 500 --rate 250 --parts 25 --seed 1 --resume soak.json',
  postgres: '--webhooks 500',
  redis: '--webhooks 300 --kills 3',
  providers: '--webhooks 900 --rate 40',
  hostile: '--webhooks 400',
  'noisy-neighbour': '--rate 2',
  herd: '--rate 60',
};

export const usage = `usage: npm run fault -- ${runNames.join('|')} [--json] [--seed S] [--resume FILE] …; --help tells the options of each`;

function helpOf(name: RunName): string {
  const own = flagWords(ofRun[name].filter((flag) => flag !== 'planted'));
  return `  ${name}: ${does[name]}
      ${own}
      npm run fault -- ${name} ${example[name]}`;
}

export const help = `${usage}

${runNames.map(helpOf).join('\n')}

  --json             one JSON document as the last line of stdout, also of a run that broke off or was stopped
  --webhooks N       messages that are sent (noisy-neighbour: to the quiet workspace, half of them beside the loud one)
  --kills N          blows spread over them, of each kind one before any comes again; 0: none.
                     Without it as many as the webhooks give room for.
  --hits N           how often each point is struck
  --rate N           messages a second. Without it as fast as leaves each blow its time.
  --seed S           the same choices again
  --redis            refuses to begin where there is no redis-server; --no-redis strikes none. Without either Redis takes
                     part where a redis-server is found
  --template FOLDER  begins from a copy of the stage that FOLDER keeps, or keeps it there for the next run
  --resume FILE      adds this run to those that FILE holds; the sum is printed
  --parts N          with --resume: the webhooks and kills, or the hits, in N runs one after the other, each kept in FILE
                     when it is done. Stopped or killed, the same command goes on with the part that was not done.
                     A part that failed stays failed.

  Exit status 1: an invariant is broken, or a part failed or broke off. 2: wrong use. 130: stopped by a signal.

  Short: npm run fault -- soak --webhooks 500 --seed 7`;

export const plantWords = plantNames.join(', ');
