/** The command line as main wires it, on a durable database of its own, with its words caught. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '#cli';
import { createCommandDeps } from '#compose';
import { durableCluster } from '../support/database.ts';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLine {
  readonly dataFolder: string;
  readonly ownerUrl: string;
  superuserUrl(database: string): string;
  run(...args: readonly string[]): Promise<Ran>;
  /** With `--json`: the one document of stdout. Throws when there is not exactly one. */
  json<Document>(...args: readonly string[]): Promise<{ readonly status: number; readonly document: Document }>;
  /** As if a person at the terminal answered so. */
  answering(answer: boolean): CommandLine;
  /** With other settings beside these. */
  with(env: Readonly<Record<string, string>>): CommandLine;
  close(): Promise<void>;
}

export async function openCommandLine(): Promise<CommandLine> {
  const { cluster, close } = await durableCluster();
  const dataFolder = await mkdtemp(join(tmpdir(), 'switchyard-cli-'));
  const env = {
    DATABASE_URL: cluster.ownerUrl,
    SWITCHYARD_DATA: dataFolder,
    PORT: '1',
    SWITCHYARD_DEMO: '0',
    SWITCHYARD_LOG: 'silent',
    // Nobody listens there: no test asks a provider outside.
    META_GRAPH_URL: 'http://127.0.0.1:9',
  };
  return commandLine(env, undefined, {
    dataFolder,
    ownerUrl: cluster.ownerUrl,
    superuserUrl: (database) => cluster.superuserUrl(database),
    async close() {
      await close();
      await rm(dataFolder, { recursive: true, force: true });
    },
  });
}

type Fixed = Pick<CommandLine, 'dataFolder' | 'ownerUrl' | 'superuserUrl' | 'close'>;

function commandLine(env: Readonly<Record<string, string>>, answer: boolean | undefined, fixed: Fixed): CommandLine {
  const run = async (...args: readonly string[]): Promise<Ran> => {
    const words = { stdout: '', stderr: '' };
    const output = {
      result(text: string) {
        words.stdout += `${text}\n`;
      },
      note(text: string) {
        words.stderr += `${text}\n`;
      },
    };
    const deps = await createCommandDeps({ env, output, confirm: async () => answer, signals: process });
    return { status: await runCli(args, deps), ...words };
  };
  return {
    ...fixed,
    run,
    async json(...args) {
      const { status, stdout } = await run(...args, '--json');
      return { status, document: JSON.parse(stdout) };
    },
    answering: (given) => commandLine(env, given, fixed),
    with: (more) => commandLine({ ...env, ...more }, answer, fixed),
  };
}
