/** The real product as a person starts it: server, embedded database, demo, stand-in providers and console. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePorts } from '../../../tools/free-ports.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const stopMs = 20_000;
/** The server's own and the five of the stand-ins after it. */
const portsInARow = 6;

export interface WholeProduct {
  readonly url: string;
  /** Phone page and control API of the stand-ins. */
  readonly simulatorUrl: string;
  readonly login: { readonly email: string; readonly password: string };
  readonly dataFolder: string;
  /** What it has written to stderr so far: its log. */
  words(): string;
  /** One command of the command line beside it, to its end. */
  command(...args: readonly string[]): Promise<CommandEnd>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface CommandEnd {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function startWhole(env: Readonly<Record<string, string>> = {}): Promise<WholeProduct> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'switchyard-whole-'));
  const port = await freePorts(portsInARow);
  const settings = { ...ownEnvironment(), SWITCHYARD_DATA: dataFolder, PORT: String(port), ...env };
  const begin = (...args: readonly string[]) => listenTo(spawn(process.execPath, [main, ...args], { env: settings }));
  const { child, words } = begin('start', '--json');
  const stop = async () => {
    await end(child);
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const { console: url, phone: simulatorUrl, login } = await firstLine(child, words);
    const command = async (...args: readonly string[]): Promise<CommandEnd> => {
      const run = begin(...args);
      const [status] = await once(run.child, 'close');
      return { status: typeof status === 'number' ? status : null, ...run.words };
    };
    return { url, simulatorUrl, login, dataFolder, words: () => words.stderr, command, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Started {
  readonly console: string;
  readonly phone: string;
  readonly login: WholeProduct['login'];
}

/** What the machine has set for a product of its own must not reach this one. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { DATABASE_URL, REDIS_URL, PUBLIC_URL, ROLES, SWITCHYARD_DEMO, SWITCHYARD_KEY, ...rest } = process.env;
  return rest;
}

interface Words {
  stdout: string;
  stderr: string;
}

/** Its words as they come. */
function listenTo(child: ChildProcess): { readonly child: ChildProcess; readonly words: Words } {
  const words: Words = { stdout: '', stderr: '' };
  child.stdin?.end();
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      words[name] += text;
    });
  return { child, words };
}

async function firstLine(child: ChildProcess, words: Words): Promise<Started> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', () => {
      const end = words.stdout.indexOf('\n');
      if (end >= 0) resolve(JSON.parse(words.stdout.slice(0, end)) as Started);
    });
    child.once('exit', (code) => reject(new Error(`the product ended with ${code}: ${words.stderr}`)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const isInTime = await Promise.race([ended.then(() => true), wait(stopMs, false, { ref: false })]);
  if (isInTime) return;
  child.kill('SIGKILL');
  await ended;
}
