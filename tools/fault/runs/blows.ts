/** What can happen to a process, by name; which one, and to whom, is chosen from the seed. */
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Choices } from '../seeded.ts';
import type { ManagedProcess } from '../stage/managed-process.ts';
import type { Stage } from '../stage/stage.ts';
import { until } from '../stage/until.ts';
import type { Target } from './aims.ts';
import type { Kill } from './recovery.ts';

export const processBlows = ['kill', 'terminate', 'freeze'] as const;
export const postgresBlows = ['kill-all', 'kill-one', 'stop-immediately', 'freeze'] as const;
/** `kill` brings it back empty. */
export const redisBlows = ['kill', 'flush', 'freeze'] as const;
export type BlowName =
  | `${'gateway' | 'worker'} ${(typeof processBlows)[number]}`
  | `postgres ${(typeof postgresBlows)[number] | 'disk-full'}`
  | `redis ${(typeof redisBlows)[number]}`;

/** Without Redis. */
export const blowNames: readonly BlowName[] = [
  ...processBlows.flatMap((how) => [`gateway ${how}`, `worker ${how}`] as const),
  ...postgresBlows.map((how) => `postgres ${how}` as const),
];

/** Longer than the leases of the stage, so that a woken worker finds its work in other hands. */
const frozenWorkerMs = 3_500;
const frozenGatewayMs = 1_500;
const frozenPostgresMs = 2_500;
const frozenRedisMs = 3_000;
const fullDiskMs = 6_000;
const databaseBackMs = 60_000;
const anotherBackendMs = 500;

/** What blows fall on. */
export type Struck = Pick<Stage, 'cluster' | 'redis' | 'smallDisk' | 'gateways' | 'workers' | 'note'>;

/**
 * Deals one blow and sees that what fell stands again. Resolves when the next may come; with null where there was nothing
 * to strike, which is no kill.
 */
export async function deal(stage: Struck, name: BlowName, choices: Choices): Promise<Kill | null> {
  const [target, how] = name.split(' ') as [Target, string];
  const kill = { target, how, atMs: Date.now() };
  stage.note(name);
  if (target === 'postgres' && how === 'disk-full') {
    const roomMs = await fillDisk(stage);
    return roomMs === null ? null : { ...kill, atMs: roomMs };
  }
  if (target === 'postgres') return (await strikePostgres(stage, how, choices)) ? kill : null;
  if (target === 'redis') {
    await strikeRedis(stage, how);
    return kill;
  }
  const process = choices.pick(target === 'gateway' ? stage.gateways : stage.workers);
  const struck = await strikeProcess(process, how, target === 'gateway' ? frozenGatewayMs : frozenWorkerMs);
  if (!struck) return null;
  return target === 'gateway' ? { ...kill, ...struck, port: process.plan.port } : kill;
}

/** null: it did not run. */
async function strikeProcess(
  process: ManagedProcess,
  how: string,
  frozenMs: number,
): Promise<Pick<Kill, 'goneMs'> | null> {
  const isThere = process.isRunning;
  if (how === 'freeze' && isThere) {
    await process.freeze(frozenMs);
    return {};
  }
  if (isThere) await (how === 'kill' ? process.kill() : process.terminate());
  const goneMs = Date.now();
  await process.start();
  return isThere ? { goneMs } : null;
}

async function strikeRedis({ redis }: Struck, how: string): Promise<void> {
  if (!redis) throw new Error('this run has no Redis');
  if (how === 'kill') return redis.restart();
  if (how === 'freeze') {
    process.kill(redis.pid, 'SIGSTOP');
    await wait(frozenRedisMs);
    process.kill(redis.pid, 'SIGCONT');
    return;
  }
  const client = new Redis(redis.url, { lazyConnect: true });
  await client.connect();
  await client.flushall();
  client.disconnect();
}

/** The server's own processes start it again; nobody here does. */
async function strikePostgres(stage: Struck, how: string, choices: Choices): Promise<boolean> {
  const { cluster } = stage;
  const postmaster = cluster.postmaster;
  if (how === 'freeze') return cluster.freeze(frozenPostgresMs);
  if (!(await strikeCluster(cluster, how, choices))) return false;
  if (how !== 'kill-one') await until(() => cluster.postmaster !== postmaster, databaseBackMs, 20);
  const isBack = await until(() => canAsk(stage), databaseBackMs, 100);
  if (!isBack) throw new Error(`the database did not come back within ${databaseBackMs} ms`);
  await wait(200);
  return true;
}

async function strikeCluster(cluster: Struck['cluster'], how: string, choices: Choices): Promise<boolean> {
  if (how === 'kill-all') return cluster.killAll();
  if (how === 'stop-immediately') return cluster.stopImmediately();
  // The one that was chosen may end just then by itself: then another.
  return until(() => cluster.killOne((pids) => choices.pick(pids)), anotherBackendMs, 10);
}

/**
 * Nothing can be written any more, for a while; then somebody makes room, and from that moment on recovery counts. null: no
 * disk can be mounted here, and the run says so beside its figures.
 */
async function fillDisk(stage: Struck): Promise<number | null> {
  const { smallDisk } = stage;
  if (!smallDisk) return null;
  await smallDisk.fill();
  await wait(fullDiskMs);
  await smallDisk.clear();
  const roomMs = Date.now();
  const isBack = await until(() => canWrite(stage), databaseBackMs, 100);
  if (!isBack) throw new Error(`the database did not write again within ${databaseBackMs} ms of having room`);
  return roomMs;
}

async function canWrite(stage: Struck): Promise<boolean> {
  try {
    await stage.cluster.ask("SELECT nextval('inbox_position')");
    return true;
  } catch {
    // Starting, recovering.
    return false;
  }
}

async function canAsk(stage: Struck): Promise<boolean> {
  try {
    await stage.cluster.ask('SELECT 1');
    return true;
  } catch {
    // Starting, recovering.
    return false;
  }
}
