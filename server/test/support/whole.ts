/** The real product as a person starts it: server, embedded database, demo, stand-in providers and console. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const stopMs = 20_000;
/** The server's own and the five of the stand-ins after it. */
const portsInARow = 6;

export interface WholeProduct {
  readonly url: string;
  /** Phone page and control API of the stand-ins. */
  readonly simulatorUrl: string;
  readonly login: { readonly email: string; readonly password: string };
  /** For commands beside it. */
  readonly dataFolder: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export async function startWhole(env: Readonly<Record<string, string>> = {}): Promise<WholeProduct> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'switchyard-whole-'));
  const port = await findPorts();
  const child = spawn(process.execPath, [main, 'start', '--json'], {
    env: { ...ownEnvironment(), SWITCHYARD_DATA: dataFolder, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = async () => {
    await end(child);
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const { console: url, phone: simulatorUrl, login } = await firstLine(child);
    return { url, simulatorUrl, login, dataFolder, stop };
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

async function firstLine(child: ChildProcess): Promise<Started> {
  let text = '';
  let words = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    words += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))) as Started);
    });
    child.once('exit', (code) => reject(new Error(`the product ended with ${code}: ${words}`)));
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

/** The first of six free ports in a row: the stand-ins listen on the ones after the server's. */
async function findPorts(): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const first = await freePort();
    const rest = Array.from({ length: portsInARow - 1 }, (_, index) => first + index + 1);
    const areFree = await Promise.all(rest.map((port) => freePort(port).then(Boolean, () => false)));
    if (first > 3005 && areFree.every(Boolean)) return first;
  }
  throw new Error(`no ${portsInARow} free ports in a row were found`);
}

async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a port has a number');
  return address.port;
}
