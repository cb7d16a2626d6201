/** Where the program begins: the environment, the command line, the exit status. */
import { askOnTerminal, runCli, standardOutput } from '#cli';
import { createCommandDeps } from '#compose';

// A reader that has seen enough (`switchyard tokens | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const surroundings = { env: process.env, output: standardOutput, confirm: askOnTerminal, signals: process };
const status = await runCli(process.argv.slice(2), await createCommandDeps(surroundings));
// What is written to a pipe may not have left yet.
process.stdout.write('', () => process.exit(status));
