/** The stand-in providers as one process beside the server, on the ports after its own; ended with it, however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Config } from '#config';
import type { Log } from '#kernel';
import type { SimulatorUrls } from './demo.ts';

export interface RunningSimulator {
  readonly urls: SimulatorUrls;
  stop(): Promise<void>;
}

const main = join(import.meta.dirname, '..', '..', '..', '..', 'simulator', 'src', 'main.ts');
const stopMs = 3_000;

/**
 * Rejects with one clear line when it cannot start. Its stdin is our life-line: when this process is gone, even by
 * kill -9, the pipe ends and so does it. In a group of its own, so that Ctrl-C reaches the server first.
 */
export async function startSimulatorBeside(config: Config, log: Log): Promise<RunningSimulator> {
  const child = spawn(
    process.execPath,
    [main, '--port-base', String(config.port + 1), '--host', config.host, '--quiet', '--until-stdin-ends'],
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  );
  const urls = await firstLine(child);
  child.stderr?.on('data', (words: Buffer) => log.warn({ words: words.toString().trim() }, 'a stand-in said'));
  let isStopping = false;
  child.once('exit', (code) => {
    if (!isStopping) log.error({ code }, 'the stand-in providers have ended; the server goes on without them');
  });
  return {
    urls,
    async stop() {
      isStopping = true;
      await end(child);
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), stopMs);
  await ended;
  clearTimeout(force);
}

function firstLine(child: ChildProcess): Promise<SimulatorUrls> {
  return new Promise((resolve, reject) => {
    let text = '';
    let words = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf('\n');
      if (end >= 0) resolve(JSON.parse(text.slice(0, end)) as SimulatorUrls);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      words += chunk.toString();
    });
    child.stdin?.on('error', () => {
      // It has ended; its exit is told by the event below.
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the stand-in providers ended with ${code}: ${words.trim()}`)));
  });
}
