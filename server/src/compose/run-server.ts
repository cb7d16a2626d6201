/** `switchyard start`: everything, until told to stop. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '#cli';
import type { Config } from '#config';
import type { Log } from '#kernel';
import { registerDemoNumbers, seedDemo } from './demo.ts';
import { openProduct } from './product.ts';
import { serve } from './serve.ts';
import { startSimulatorBeside } from './simulator.ts';

export interface RunOptions {
  readonly isJson: boolean;
  readonly output: Output;
  /** Where SIGINT and SIGTERM come from. */
  readonly signals: NodeJS.Process;
}

const home = join(import.meta.dirname, '..', '..', '..');

/** Resolves after an orderly end. Rejects, with one line, when it could not start. */
export async function runServer(given: Config, log: Log, options: RunOptions): Promise<void> {
  const config: Config = { ...given, publicUrl: given.publicUrl ?? `http://${given.host}:${given.port}` };
  const toldToStop = untilTold(options.signals);
  if (config.roles.includes('api')) await buildConsole(log);
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const simulator = config.isDemo ? await startSimulatorBeside(config, log) : null;
    if (simulator) closers.push(simulator.stop);
    const product = await openProduct(config, log);
    closers.push(product.close);
    const login = simulator ? await seedDemo(product, simulator.urls) : null;
    const server = await serve(product);
    closers.push(server.stop);
    if (simulator) await registerDemoNumbers(product, simulator.urls);
    const places = { console: server.url, api: `${server.url}/api/docs`, phone: simulator?.urls.phone ?? null, login };
    options.output.result(options.isJson ? JSON.stringify(places) : welcome(places));
    await toldToStop;
    options.output.note('Stopping: finishing what is in flight …');
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

interface Places {
  readonly console: string;
  readonly api: string;
  readonly phone: string | null;
  readonly login: { readonly email: string; readonly password: string } | null;
}

function welcome(places: Places): string {
  const lines = ['', 'Switchyard is running.', '', `  Console  ${places.console}`];
  if (places.login) lines.push(`           ${places.login.email}  ${places.login.password}`);
  if (places.phone) lines.push(`  Phone    ${places.phone}   (write as a customer)`);
  lines.push(`  API      ${places.api}`, '', 'Ctrl-C stops it.', '');
  return lines.join('\n');
}

/** A second signal ends the process at once: the kill path is as safe, only slower to come back. */
function untilTold(signals: NodeJS.Process): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) signals.once(signal, () => resolve());
  });
}

/** When its sources are newer than what is built. */
async function buildConsole(log: Log): Promise<void> {
  const vite = join(home, 'node_modules', 'vite', 'bin', 'vite.js');
  if (!existsSync(vite) || !(await isConsoleStale())) return;
  log.info({}, 'building the console');
  const child = spawn(process.execPath, [vite, 'build', 'console', '--logLevel', 'warn'], {
    cwd: home,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) log.error({ code }, 'the console could not be built; the API works without it');
}

async function isConsoleStale(): Promise<boolean> {
  const built = join(home, 'console', 'dist', 'index.html');
  if (!existsSync(built)) return existsSync(join(home, 'console', 'index.html'));
  const builtAt = statSync(built).mtimeMs;
  for (const folder of ['console', 'contract/src']) {
    const entries = await readdir(join(home, folder), { recursive: true, withFileTypes: true });
    const sources = entries.filter((entry) => entry.isFile() && !/node_modules|dist/.test(entry.parentPath));
    if (sources.some((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs > builtAt)) return true;
  }
  return false;
}
