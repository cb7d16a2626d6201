/** The stand-in providers as one process beside the server, on the ports after its own; ended with it. */
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

const main = join(import.meta.dirname, '..', '..', '..', 'simulator', 'src', 'main.ts');

/** Rejects with one clear line when a port is taken. */
export async function startSimulatorBeside(config: Config, log: Log): Promise<RunningSimulator> {
  const child = spawn(
    process.execPath,
    [main, '--port-base', String(config.port + 1), '--host', config.host, '--quiet'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const urls = await firstLine(child);
  child.stderr?.on('data', (words: Buffer) => log.warn({ words: words.toString().trim() }, 'a stand-in said'));
  return {
    urls,
    async stop() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
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
    child.once('exit', (code) => reject(new Error(`the stand-in providers ended with ${code}: ${words.trim()}`)));
  });
}
