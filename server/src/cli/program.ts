import { Command, CommanderError } from 'commander';
import { WrongSetting } from '#config';
import { addAccount } from './commands/account.ts';
import { addApiKey } from './commands/api-key.ts';
import { addDatabase } from './commands/db.ts';
import { addDeliveries } from './commands/deliveries.ts';
import { addDoctor } from './commands/doctor.ts';
import { addNormalize } from './commands/normalize.ts';
import { addRoute } from './commands/route.ts';
import { addSimulate } from './commands/simulate.ts';
import { addStart } from './commands/start.ts';
import { addTokens } from './commands/tokens.ts';
import { addWebhook } from './commands/webhook.ts';
import { addWorkspace } from './commands/workspace.ts';
import type { CliDeps } from './deps.ts';
import { CommandFailed, WrongUse } from './failures.ts';

/** Runs one command. Gives its exit status: 0 done, 1 failed, 2 wrong use. Refusals are one line on stderr. */
export async function runCli(args: readonly string[], deps: CliDeps): Promise<number> {
  const program = new Command('switchyard')
    .description('Business messaging on WhatsApp and Instagram, and the way on to it.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => deps.output.result(text.trimEnd()),
      writeErr: (text) => deps.output.note(text.trimEnd()),
    })
    .showHelpAfterError('(--help shows how it is used)');
  for (const add of [
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
    addSimulate,
  ]) {
    add(program, deps);
  }
  addNormalize(program, deps.channels, deps.output);
  for (const command of allCommands(program)) command.exitOverride();
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    return exitStatusOf(error, deps);
  }
}

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)]);
}

function exitStatusOf(error: unknown, deps: CliDeps): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const text = error instanceof Error ? error.message : String(error);
  deps.output.note(`switchyard: ${text}`);
  if (error instanceof WrongUse) return 2;
  const isExpected = error instanceof CommandFailed || error instanceof WrongSetting;
  if (!isExpected && process.stderr.isTTY && error instanceof Error && error.stack) deps.output.note(error.stack);
  return 1;
}
