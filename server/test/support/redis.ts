import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../../tools/free-ports.ts';
import { ensurePrograms } from '../../../tools/programs.ts';

export interface TestRedis {
  readonly url: string;
  readonly pid: number;
  /** Stops the server as if its power were cut, and starts it again, empty, on the same port. */
  restart(whileAway?: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

const folderPrefix = 'switchyard-redis-';
const portAttempts = 5;

/** A Redis of this test file's own, on a free port of loopback, without a disk. Throws where none can be had. */
export async function startTestRedis(): Promise<TestRedis> {
  const missing = ensurePrograms(['redis-server']);
  if (missing.length > 0) throw new Error(missing.join('\n'));
  await sweepAbandoned();
  const folder = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  let { port, server } = await startOnFreePort(folder);
  return {
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return server.pid!;
    },
    async restart(whileAway = async () => {}) {
      await stop(server, 'SIGKILL');
      await whileAway();
      const again = await start(folder, port);
      if (!again) throw new Error(`redis-server did not come back on port ${port}`);
      server = again;
    },
    async close() {
      await stop(server, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Another process may take the port between our asking and its use, so there are some attempts. */
async function startOnFreePort(folder: string): Promise<{ port: number; server: ChildProcess }> {
  for (let attempt = 0; attempt < portAttempts; attempt += 1) {
    const port = await freePort();
    const server = await start(folder, port);
    if (server) return { port, server };
  }
  throw new Error('redis-server did not start');
}

/** null: it ended before it was ready, most likely since the port was taken. */
async function start(folder: string, port: number): Promise<ChildProcess | null> {
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', [...settings, '--pidfile', join(folder, 'redis.pid')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: server.stdout })) {
    if (!line.includes('Ready to accept connections')) continue;
    server.stdout.resume();
    return server;
  }
  return null;
}

async function stop(server: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.kill(signal);
  await gone;
}

/** Servers of test runs that were killed: their folder names the runner, and the file in it the server. */
async function sweepAbandoned(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(folderPrefix));
  for (const name of names) {
    const runner = Number(name.slice(folderPrefix.length).split('-')[0]);
    if (!runner || isRunning(runner)) continue;
    const folder = join(tmpdir(), name);
    const pid = Number(await readFile(join(folder, 'redis.pid'), 'utf8').catch(() => ''));
    if (pid && (await isRedis(pid))) process.kill(pid, 'SIGTERM');
    await rm(folder, { recursive: true, force: true });
  }
}

/** A process id may have passed to another program since. */
async function isRedis(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes('redis-server');
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
