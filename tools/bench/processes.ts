/** Child processes of a benchmark: each with one question and one answer, ended by its own handle. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const home = fileURLToPath(new URL('../..', import.meta.url));

export function forkTool(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

export function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a process of the benchmark ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as Answer);
    });
  });
}

export async function ask<Answer>(file: string, order: object): Promise<Answer> {
  const child = forkTool(file);
  const answer = answerOf<Answer>(child);
  child.send(order);
  try {
    return await answer;
  } finally {
    child.kill();
  }
}

export interface StartedServer {
  readonly pid: number;
  stop(): Promise<void>;
}

/** `switchyard start` with these settings, of this checkout or a copy; resolves when its readiness page says so. */
export async function startServer(env: Readonly<Record<string, string>>, from = home): Promise<StartedServer> {
  const child = spawn(process.execPath, [join(from, 'server/src/main.ts'), 'start'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-4_000);
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = `http://127.0.0.1:${env.PORT}/health/ready`;
  for (let tries = 0; ; tries += 1) {
    const isReady = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) break;
    if (child.exitCode !== null || tries > 600) throw new Error(`the server did not start:\n${words}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** One command of the command line, its JSON answer. */
export async function runCommand<Answer>(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Answer> {
  const child = spawn(process.execPath, [`${home}server/src/main.ts`, ...args, '--json'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`switchyard ${args.join(' ')} ended with ${code}`);
  return JSON.parse(text) as Answer;
}

/** Memory that is this process's own share, in MB (proportional set size). */
export function pssMb(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1_024;
}

export function rssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024;
}

/** CPU seconds used so far by a process. */
export function cpuSeconds(pid: number): number {
  return ticksOf(pid, [11, 12]) / 100;
}

/** Of the children that have ended and were waited for. */
export function endedChildrenCpuSeconds(pid: number): number {
  return ticksOf(pid, [13, 14]) / 100;
}

function ticksOf(pid: number, places: readonly number[]): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return places.reduce((sum, place) => sum + Number(fields[place]), 0);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** CPU seconds of the database's processes: the postmaster of this data folder, what it has waited for, and its children. */
export function databaseCpuSeconds(postmaster: number): number {
  const children = childrenOf(postmaster).reduce((sum, pid) => sum + cpuSecondsOrNone(pid), 0);
  return cpuSeconds(postmaster) + children + endedChildrenCpuSeconds(postmaster);
}

/** One that ends at this moment: what it used is then counted with its parent. */
function cpuSecondsOrNone(pid: number): number {
  try {
    return cpuSeconds(pid);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'ENOENT')) return 0;
    throw error;
  }
}

export function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ').filter(Boolean).map(Number);
}
