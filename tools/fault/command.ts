/** The command: what comes of what is asked for. Wrong use is one line and exit status 2. */
import { type Asked, type FaultOptions, WrongUse } from './asked.ts';
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
    return await play(asked);
  } catch (error) {
    console.error(error instanceof WrongUse ? error.message : error);
    return error instanceof WrongUse ? 2 : 1;
  }
}

async function play(asked: Asked): Promise<number> {
  const { failureOf } = await import('./report.ts');
  await (await import('./stage/template.ts')).openTemplate(asked.options.template);
  const report = await reportOf(asked);
  console.log(asked.isJson ? JSON.stringify(report) : JSON.stringify(report, null, 2));
  const failure = failureOf(report);
  if (failure) console.error(`${report.name} failed (seed ${report.seed}): ${failure}`);
  return failure ? 1 : 0;
}

async function reportOf({ what, options, isSeedGiven, resume, parts }: Asked): Promise<Report> {
  const run = await runOf(what);
  if (resume === undefined) {
    console.error(`${what.name}: seed ${options.seed}`);
    return run(options);
  }
  const { runParts } = await import('./parts.ts');
  const { fingerprintOfSource } = await import('./source.ts');
  return runParts({ name: what.name, options, isSeedGiven, parts, source: fingerprintOfSource() }, resume, run);
}

/** Loaded only now: they bring the whole server along, which a wrong option need not wait for. */
async function runOf(what: Asked['what']): Promise<(options: FaultOptions) => Promise<Report>> {
  if (what.kind === 'run') return (await import('./table.ts')).runs[what.name];
  const { runPlanted } = await import('./planted.ts');
  return (options) => runPlanted(what.name, options);
}
