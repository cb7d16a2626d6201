/**
 * `accounts`: many workspaces with three accounts each. The list by HTTP, a token's look-up cold and warm, the status
 * change until every browser has heard of it across two processes, and memory over a long stretch of bounded work.
 */
import { Pool } from 'undici';
import { routingLimits } from '../../../server/src/accounts/routing/routing.ts';
import { openProduct, type Product } from '../../../server/src/compose/index.ts';
import { parseConfig } from '../../../server/src/config.ts';
import { silentLog } from '../../../server/src/kernel/index.ts';
import { freePort } from '../../free-ports.ts';
import { judgeFlat } from '../flat.ts';
import { round } from '../ingest.ts';
import { cpuSeconds, databaseCpuSeconds, pssMb, type StartedServer, startServer } from '../processes.ts';
import { makeShop, type Shop } from '../shop.ts';
import { measureEvents } from './browsers.ts';
import { measureLookUps } from './look-up.ts';
import { type SeededWorkspace, seedAccounts } from './seed.ts';
import { createWork, expectStatus, listOf } from './work.ts';

export interface AccountsOptions {
  readonly workspaces: number;
  /** Of the work over which memory is looked at. */
  readonly workSeconds: number;
}

const lists = 1_000;
const listeningWorkspaces = 10;
const subscribersPerWorkspace = 5;
const changes = 360;
const changesPerSecond = 20;
const stages = 12;
const idleSeconds = 60;

export async function accounts(options: AccountsOptions) {
  const shop = await makeShop();
  try {
    const { seeded, ...inProcess } = await beforeServers(shop, options.workspaces);
    const second = { ...shop.env, PORT: String(await freePort()), ROLES: 'gateway,api' };
    const servers = [await startServer(shop.env), await startServer(second)];
    try {
      const ports = [shop.port, Number(second.PORT)];
      const list = await measureList(shop.port, seeded);
      progress('list', list);
      const statusChange = await measureChanges(ports, seeded);
      progress('status change to browser event', statusChange);
      const idle = await measureIdle(shop, servers);
      progress('idle', idle);
      const memory = await measureMemory({ servers, ports, seeded, seconds: options.workSeconds });
      const size = { workspaces: seeded.length, accounts: seeded.length * 3 };
      return { name: 'accounts', ...size, ...inProcess, list, statusChange, idle, memory };
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  } finally {
    shop.remove();
  }
}

async function beforeServers(shop: Shop, workspaces: number) {
  const product = await openProduct(parseConfig(shop.env), silentLog);
  try {
    const began = performance.now();
    const seeded = await seedAccounts(product, workspaces);
    const seedSeconds = round((performance.now() - began) / 1_000, 1);
    progress('seeded', { seedSeconds });
    const lookUp = await measureLookUps(product, seeded);
    progress('look-up', lookUp);
    const everybody = await measureEverybody(product);
    progress('across workspaces', everybody);
    return { seeded, seedSeconds, lookUp, everybody };
  } finally {
    await product.close();
  }
}

/** What an operator asks of all workspaces at once: `switchyard tokens`, `switchyard workspace list`. */
async function measureEverybody(product: Product) {
  const tokens = await timed(product, async () => (await product.accounts.listTokens(null)).length);
  const workspaces = await timed(product, async () => (await product.workspaces.list()).length);
  return { tokens, workspaces };
}

async function timed(product: Product, work: () => Promise<number>) {
  const counts = product.foundation.storage.statements;
  const before = counts.app + counts.worker + counts.gateway;
  const began = performance.now();
  const rows = await work();
  const statements = counts.app + counts.worker + counts.gateway - before;
  return { rows, milliseconds: Math.round(performance.now() - began), statements };
}

async function measureList(port: number, seeded: readonly SeededWorkspace[]) {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1 });
  const latencies: number[] = [];
  try {
    for (let number = 0; number < lists + 100; number += 1) {
      const workspace = seeded[(number * 7_919) % seeded.length]!;
      const took = await expectStatus(pool, 200, listOf(workspace));
      if (number >= 100) latencies.push(took);
    }
  } finally {
    await pool.close();
  }
  return { lists: latencies.length, ...percentiles(latencies) };
}

async function measureChanges(ports: readonly number[], seeded: readonly SeededWorkspace[]) {
  const workspaces = seeded.slice(0, listeningWorkspaces);
  const order = { ports, workspaces, subscribersPerWorkspace, changes, changesPerSecond };
  const { latenciesMs, ...report } = await measureEvents(order);
  if (report.lost > 0 || report.crossed > 0) throw new Error(`events were lost or crossed: ${JSON.stringify(report)}`);
  return { ...report, events: latenciesMs.length, ...percentiles(latenciesMs) };
}

/** What so many workspaces cost when nothing happens: share of one core. */
async function measureIdle(shop: Shop, servers: readonly StartedServer[]) {
  const used = () => ({
    servers: servers.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
    database: databaseCpuSeconds(shop.postmaster()),
  });
  const before = used();
  await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1_000));
  const after = used();
  const percent = (seconds: number) => round((seconds / idleSeconds) * 100, 1);
  return {
    seconds: idleSeconds,
    serversCpuPercent: percent(after.servers - before.servers),
    databaseCpuPercent: percent(after.database - before.database),
    pssMb: round(sumPss(servers), 1),
  };
}

async function measureMemory(order: {
  readonly servers: readonly StartedServer[];
  readonly ports: readonly number[];
  readonly seeded: readonly SeededWorkspace[];
  readonly seconds: number;
}) {
  const work = createWork(order.ports, order.seeded, 0);
  const series: { readonly requests: number; readonly pssMb: number }[] = [];
  let requests = 0;
  const { maxCachedRoutes, maxCachedAccounts, maxRememberedHashes } = routingLimits;
  try {
    await work.fill(maxCachedAccounts + 1_000);
    for (let stage = 0; stage < stages; stage += 1) {
      requests += await work.run((order.seconds / stages) * 1_000);
      series.push({ requests, pssMb: round(sumPss(order.servers), 1) });
      progress('memory', series.at(-1));
    }
  } finally {
    await work.close();
  }
  const flatness = judgeFlat(series.map(({ pssMb: mb }) => mb));
  const caches = { routes: maxCachedRoutes, accounts: maxCachedAccounts, hashes: maxRememberedHashes };
  return { ...flatness, caches, series };
}

function sumPss(servers: readonly StartedServer[]): number {
  return servers.reduce((sum, { pid }) => sum + pssMb(pid), 0);
}

function percentiles(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0, 2);
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

function progress(what: string, facts: unknown): void {
  console.error(`${what}: ${JSON.stringify(facts)}`);
}
