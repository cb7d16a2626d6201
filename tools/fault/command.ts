/** The command: what comes of what is asked for. Wrong use is one line and exit status 2. */
import { type Asked, type FaultOptions, WrongUse } from './asked.ts';
import type { RunDocument } from './document.ts';
import { parseAsked } from './options.ts';
import type { Report } from './report.ts';
import { help } from './taken.ts';

export async function runFault(args: readonly string[]): Promise<number> {
  try {
    const asked = parseAsked(args, process.env);
    if (asked === 'help') {
      console.log(help);
      return 0;
    }
    return await play(await withRedisKnown(asked));
  } catch (error) {
    console.error(error instanceof WrongUse ? error.message : error);
    return error instanceof WrongUse ? 2 : 1;
  }
}

/** A soak has Redis where there is one. Throws WrongUse where it is asked for, and there is none. */
async function withRedisKnown(asked: Asked): Promise<Asked> {
  const { hasRedis } = asked.options;
  if (hasRedis === false || asked.what.kind === 'plant') return asked;
  const isThere = (await import('../programs.ts')).isThere('redis-server');
  if (hasRedis && !isThere) throw new WrongUse('redis-server is not there: install it (apt-get install redis-server)');
  if (!isThere) console.error('redis-server is not there: Redis is left out');
  return { ...asked, options: { ...asked.options, hasRedis: isThere } };
}

async function play(asked: Asked): Promise<number> {
  await (await import('./stage/template.ts')).openTemplate(asked.options.template);
  const { openDocument } = await import('./document.ts');
  const { name } = asked.what;
  const document = openDocument({ name, seed: asked.options.seed, isJson: asked.isJson });
  try {
    return document.print(await reportOf(asked, document));
  } catch (error) {
    if (error instanceof WrongUse) document.withhold();
    throw error;
  }
}

/** A run that breaks off is told of too. Rejects with WrongUse where nothing was run. */
async function reportOf({ what, options, isSeedGiven, resume, parts }: Asked, { keep }: RunDocument): Promise<Report> {
  const run = await runOf(what);
  const { runOnce, runParts } = await import('./parts.ts');
  if (resume === undefined) {
    console.error(`${what.name}: seed ${options.seed}`);
    return runOnce(what.name, options, run);
  }
  const { fingerprintOfSource } = await import('./source.ts');
  const plan = { name: what.name, options, isSeedGiven, parts };
  return runParts({ ...plan, source: fingerprintOfSource(), readSource: fingerprintOfSource }, resume, run, keep);
}

/** Loaded only now: they bring the whole server along, which a wrong option need not wait for. */
async function runOf(what: Asked['what']): Promise<(options: FaultOptions) => Promise<Report>> {
  if (what.kind === 'run') return (await import('./table.ts')).runs[what.name];
  const { runPlanted } = await import('./planted.ts');
  return (options) => runPlanted(what.name, options);
}
