/** Asks the person at the terminal before something that cannot be undone. */
import { createInterface } from 'node:readline/promises';
import { CommandFailed } from './failures.ts';

/** undefined: nobody is there to be asked. */
export type Confirm = (question: string) => Promise<boolean | undefined>;

export async function askOnTerminal(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** Throws CommandFailed unless the person agrees or has agreed by `--yes`. */
export async function mustConfirm(confirm: Confirm, isAgreed: boolean, question: string): Promise<void> {
  if (isAgreed) return;
  const answer = await confirm(question);
  if (answer === undefined) throw new CommandFailed(`nothing was done. ${question} Say --yes if so.`);
  if (!answer) throw new CommandFailed('nothing was done');
}
