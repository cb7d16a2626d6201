/**
 * `start`: how long a process is away when it was killed, beside a worker that goes on and holds the database; by role, from
 * the spawn until its readiness page says so, with the CPU that it and the database have spent on it. And `--help`, as any
 * command begins.
 */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../free-ports.ts';
import { round } from './ingest.ts';
import { cpuSeconds, databaseCpuSeconds, endedChildrenCpuSeconds, home, median, startServer } from './processes.ts';
import { makeShop, type Shop } from './shop.ts';

export interface StartOptions {
  /** Starts of each kind; the first, which may have to compile, is not counted. */
  readonly pairs: number;
}

const kinds = ['gateway', 'worker', 'gateway,api,worker'] as const;
const lookEveryMs = 5;
const startTimeoutMs = 60_000;

interface Start {
  readonly ms: number;
  readonly cpuMs: number;
  readonly databaseCpuMs: number;
}

export async function start({ pairs }: StartOptions) {
  const shop = await makeShop({ ROLES: 'worker' });
  const worker = await startServer(shop.env);
  try {
    const byRoles: Record<string, Start> = {};
    for (const roles of kinds) {
      await startOnce(shop, roles);
      byRoles[roles] = middleOf(await repeated(pairs, () => startOnce(shop, roles)));
    }
    return { name: 'start', byRoles, help: middleOf(await repeated(pairs, helpOnce)) };
  } finally {
    await worker.stop();
    shop.remove();
  }
}

async function repeated(times: number, once: () => Promise<Start>): Promise<readonly Start[]> {
  const all: Start[] = [];
  for (let index = 0; index < times; index += 1) all.push(await once());
  return all;
}

function middleOf(starts: readonly Start[]): Start {
  const middle = (name: keyof Start) => round(median(starts.map((one) => one[name])), 0);
  return { ms: middle('ms'), cpuMs: middle('cpuMs'), databaseCpuMs: middle('databaseCpuMs') };
}

async function startOnce(shop: Shop, roles: string): Promise<Start> {
  const port = await freePort();
  const databaseBefore = databaseCpuSeconds(shop.postmaster());
  const begun = performance.now();
  const child = spawn(process.execPath, [`${home}server/src/main.ts`, 'start'], {
    env: { ...process.env, ...shop.env, ROLES: roles, PORT: String(port) },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null || performance.now() - begun > startTimeoutMs)
        throw new Error(`${roles} did not start`);
      await pause(lookEveryMs);
    }
    const ms = performance.now() - begun;
    const cpuMs = cpuSeconds(child.pid ?? 0) * 1_000;
    return { ms, cpuMs, databaseCpuMs: (databaseCpuSeconds(shop.postmaster()) - databaseBefore) * 1_000 };
  } finally {
    // As it would be in an accident.
    child.kill('SIGKILL');
    await ended;
  }
}

function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/health/ready`).then(
    (answer) => answer.ok,
    () => false,
  );
}

async function helpOnce(): Promise<Start> {
  const cpuBefore = endedChildrenCpuSeconds(process.pid);
  const begun = performance.now();
  const child = spawn(process.execPath, [`${home}bin/switchyard.mjs`, '--help'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  const cpuMs = (endedChildrenCpuSeconds(process.pid) - cpuBefore) * 1_000;
  return { ms: performance.now() - begun, cpuMs, databaseCpuMs: 0 };
}
