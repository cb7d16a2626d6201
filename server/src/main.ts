/** Where the program begins: the environment, the command line, the exit status. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// What Node made of the sources is kept beside the packages, for all who may write there; NODE_COMPILE_CACHE names another
// place. Before the rest is loaded, or it would be too late for it.
enableCompileCache(join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'switchyard'));
const { askOnTerminal, runCli, standardOutput } = await import('#cli');
const { createCommandDeps } = await import('#compose');
const { createLog } = await import('#kernel');

// What nobody was ready for, a promise that nobody waited for among it: in what state things are is not known any more, so one
// line and the end. What is leased runs out, what is not committed is undone, and whoever comes next goes on.
process.on('uncaughtException', (err, origin) => {
  createLog('error').error({ err, origin }, 'the process ends over an error that nobody caught');
  process.exit(1);
});

// A reader that has seen enough (`switchyard tokens | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const surroundings = { env: process.env, output: standardOutput, confirm: askOnTerminal, signals: process };
const status = await runCli(process.argv.slice(2), await createCommandDeps(surroundings));
// What is written to a pipe may not have left yet.
process.stdout.write('', () => process.exit(status));
