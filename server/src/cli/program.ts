import { Command, CommanderError } from 'commander';
import { addAccount } from './commands/account.ts';
import { addAlarms } from './commands/alarms.ts';
import { addApiKey } from './commands/api-key.ts';
import { addAudit } from './commands/audit.ts';
import { addCanary } from './commands/canary.ts';
import { addCompanionKey } from './commands/companion-key.ts';
import { addContact } from './commands/contact.ts';
import { addDatabase } from './commands/db.ts';
import { addDeliveries } from './commands/deliveries.ts';
import { addDoctor } from './commands/doctor.ts';
import { addKey } from './commands/key.ts';
import { addMember } from './commands/member.ts';
import { addNormalize } from './commands/normalize.ts';
import { addPerson } from './commands/person.ts';
import { addRetention } from './commands/retention.ts';
import { addRoute } from './commands/route.ts';
import { addSimulate } from './commands/simulate.ts';
import { addStart } from './commands/start.ts';
import { addTokens } from './commands/tokens.ts';
import { addTrace } from './commands/trace.ts';
import { addWebhook } from './commands/webhook.ts';
import { addWorkspace } from './commands/workspace.ts';
import type { CliDeps } from './deps.ts';
import { lineOf, WrongUse } from './failures.ts';

const additions = [
  addStart,
  addDoctor,
  addDatabase,
  addWorkspace,
  addApiKey,
  addAccount,
  addTokens,
  addRoute,
  addDeliveries,
  addWebhook,
  addNormalize,
  addSimulate,
  addKey,
  addMember,
  addPerson,
  addAudit,
  addCompanionKey,
  addTrace,
  addAlarms,
  addCanary,
  addContact,
  addRetention,
];

/**
 * Runs one command. Gives its exit status: 0 done, 1 failed, 2 wrong use. A refusal is one line on stderr; with `--json`
 * there is one JSON document on stdout whatever happens, which then holds the same line as `error`.
 */
export async function runCli(args: readonly string[], deps: CliDeps): Promise<number> {
  let hasResult = false;
  const output = {
    ...deps.output,
    result(text: string) {
      hasResult = true;
      deps.output.result(text);
    },
  };
  const program = makeProgram({ ...deps, output });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    const { status, line } = failureOf(error);
    if (status === 0) return 0;
    if (!(error instanceof CommanderError)) output.note(`switchyard: ${line}`);
    if (args.includes('--json') && !hasResult) output.result(JSON.stringify({ error: { message: line } }));
    return status;
  }
}

function makeProgram(deps: CliDeps): Command {
  const program = new Command('switchyard')
    .description('Business messaging on WhatsApp and Instagram, and the way on to it.')
    .version(deps.version, '--version', 'print the version')
    // A command with options of its own (tokens) leaves those behind a subcommand's name to the subcommand.
    .enablePositionalOptions()
    .helpOption('-h, --help', 'show how it is used')
    .helpCommand('help [command]', 'show how a command is used');
  for (const add of additions) add(program, deps);
  program.addHelpText('after', '\nExample: switchyard start\n\nExit status: 0 done, 1 failed, 2 wrong use.');
  for (const command of [program, ...allCommands(program)]) {
    command
      .exitOverride()
      .configureOutput({
        writeOut: (text) => deps.output.result(text.trimEnd()),
        writeErr: (text) => deps.output.note(text.trimEnd()),
      })
      .showHelpAfterError(`(switchyard ${pathOf(command)}--help shows how it is used)`)
      .helpOption('-h, --help', 'show how it is used');
  }
  return program;
}

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)]);
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)}${command.name()} ` : '';
}

function failureOf(error: unknown): { readonly status: number; readonly line: string } {
  if (error instanceof CommanderError) {
    const line = error.code === 'commander.help' ? 'which command?' : lineOf(error).replace(/^error: /, '');
    return { status: error.exitCode === 0 ? 0 : 2, line };
  }
  return { status: error instanceof WrongUse ? 2 : 1, line: lineOf(error) };
}
