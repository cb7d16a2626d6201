/**
 * Everything a run needs, each part a real process: a durable PostgreSQL of its own, gateways, workers, the stand-in
 * providers, in a folder of its own, on loopback. `close` ends them by their ids and removes the folder.
 */
import { appendFileSync, chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openProduct } from '../../../server/src/compose/index.ts';
import { parseConfig } from '../../../server/src/config.ts';
import { silentLog } from '../../../server/src/kernel/index.ts';
import { startTestRedis, type TestRedis } from '../../../server/test/support/redis.ts';
import { freePort } from '../../free-ports.ts';
import type { LoadTarget } from '../load/order.ts';
import { Cluster } from './cluster.ts';
import { endWithUs, makeRunFolder } from './leftovers.ts';
import { ManagedProcess } from './managed-process.ts';
import { makeShops, type Shop, sharedAppSecret } from './shops.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';
import { stageTimes } from './stage-times.ts';
import { type StandIn, startStandIn } from './stand-in.ts';
import { copyFrom, keepIn, openTemplate, type Template } from './template.ts';

export interface StagePlan {
  readonly gateways: number;
  readonly workers: number;
  readonly seed: number;
  /** Where the server's sources lie: this checkout, or a copy with a planted bug. */
  readonly home?: string;
  /** Jobs, cache, counters and doorbell on a Redis of the run's own. */
  readonly hasRedis?: boolean;
  /** Receipts in one POST, as Meta does when there is much to tell; 1 if left out. */
  readonly receiptsTogether?: number;
  /** The database lies on a small disk of its own, where this machine lets us mount one. */
  readonly hasSmallDisk?: boolean;
  /** Nothing of the server is started yet: who strikes it starts it. */
  readonly isIdle?: boolean;
  /** Workspaces with a number each, beside the usual three numbers. */
  readonly crowd?: number;
  /** Where the folder of a stage like this one is kept, to begin from a copy of it; made by the first run. */
  readonly template?: string;
}

export interface Stage {
  readonly folder: string;
  readonly cluster: Cluster;
  readonly standIn: StandIn;
  readonly redis: TestRedis | null;
  readonly smallDisk: SmallDisk | null;
  readonly shops: readonly Shop[];
  readonly targets: readonly LoadTarget[];
  readonly gateways: readonly ManagedProcess[];
  readonly workers: readonly ManagedProcess[];
  readonly logFiles: readonly string[];
  /** What must not stand in any log. */
  readonly secrets: readonly string[];
  note(text: string): void;
  close(keep?: boolean): Promise<void>;
}

export const checkout = fileURLToPath(new URL('../../..', import.meta.url));

/** Of the provider's own waits between tries: the seventh, after two hours at Meta, comes within the drain. */
const retryTimeScale = 0.002;

export async function openStage(plan: StagePlan): Promise<Stage> {
  const folder = makeRunFolder();
  // The database's own user must be able to pass through.
  chmodSync(folder, 0o711);
  mkdirSync(join(folder, 'logs'));
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (keep = false) => {
    for (const closer of closers.reverse()) await closer();
    rmSync(keep ? join(folder, 'started') : folder, { recursive: true, force: true });
  };
  try {
    const image = join(folder, 'disk.img');
    const smallDisk = plan.hasSmallDisk ? await mountSmallDisk(image, join(folder, 'postgres')) : null;
    if (smallDisk) closers.push(() => smallDisk.unmount());
    const isUsual = !plan.hasSmallDisk && !plan.crowd;
    const template = await openTemplate(isUsual ? plan.template : undefined);
    const cluster = new Cluster(folder);
    closers.push(() => cluster.letGo());
    const standIn = await startStandIn(checkout, { seed: plan.seed, folder });
    closers.push(() => standIn.stop());
    const redis = plan.hasRedis ? await startTestRedis() : null;
    if (redis) closers.push(() => redis.close());
    endWithUs(() => redis?.pid);
    const settings = serverEnvironment({ folder, graphUrl: standIn.urls.graph, redisUrl: redis?.url });
    // What is compiled of a copy with a bug in it goes with the copy.
    const env = plan.home ? { ...settings, NODE_COMPILE_CACHE: join(folder, 'compiled') } : settings;
    const shops = await furnish({ folder, cluster, template, crowd: plan.crowd ?? 0 });
    const gateways = await makeProcesses(plan, { folder, env, role: 'gateway' });
    const workers = await makeProcesses(plan, { folder, env, role: 'worker' });
    const all = [...gateways, ...workers];
    closers.push(() => Promise.all(all.map((one) => one.kill())));
    if (!plan.isIdle) await Promise.all(all.map((one) => one.start()));
    await registerNumbers(standIn, shops, { gateways, receiptsTogether: plan.receiptsTogether ?? 1 });
    const noteFile = join(folder, 'logs', 'run.log');
    return {
      ...{ folder, cluster, standIn, redis, smallDisk, shops, gateways, workers, close },
      targets: shops.map(targetOf),
      logFiles: [...all.map((one) => one.plan.logFile), cluster.serverLog],
      secrets: [sharedAppSecret, ...shops.flatMap((shop) => [shop.appSecret, shop.accessToken, shop.token])],
      note: (text) => appendFileSync(noteFile, `${new Date().toISOString()} ${text}\n`),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Empty {
  readonly folder: string;
  readonly cluster: Cluster;
  readonly template: Template | null;
  readonly crowd: number;
}

/** A running database with the shops in it: copied, or made and kept for the next. */
async function furnish({ folder, cluster, template, crowd }: Empty): Promise<Shop[]> {
  const kept = template && (await copyFrom(template, folder));
  await cluster.hold();
  if (kept) return kept;
  const shops = await makeShopsIn(folder, crowd);
  // The pace is the run's affair; with the provider's usual limit a short run would mostly wait.
  await cluster.ask(`UPDATE accounts SET settings = settings || '{"messagesPerSecond": "1000"}'`);
  if (!template) return shops;
  await cluster.letGo();
  await keepIn(template, folder, shops);
  await cluster.hold();
  return shops;
}

function serverEnvironment({
  folder,
  graphUrl,
  redisUrl,
}: {
  readonly folder: string;
  readonly graphUrl: string;
  readonly redisUrl: string | undefined;
}): Record<string, string> {
  return {
    SWITCHYARD_DATA: folder,
    SWITCHYARD_DEMO: '0',
    SWITCHYARD_LOG: 'warn',
    SWITCHYARD_FAULTS: '1',
    META_GRAPH_URL: graphUrl,
    META_APP_SECRET: sharedAppSecret,
    INBOX_LEASE_MS: String(stageTimes.leaseMs),
    // No balancer looks at these processes.
    STOP_NOTICE_MS: '0',
    SEND_TIMEOUT_MS: String(stageTimes.sendTimeoutMs),
    UNCERTAIN_WAIT_MS: String(stageTimes.uncertainWaitMs),
    ...(redisUrl ? { REDIS_URL: redisUrl } : {}),
  };
}

async function makeShopsIn(folder: string, crowd: number): Promise<Shop[]> {
  const settings = { SWITCHYARD_DATA: folder, SWITCHYARD_DEMO: '0', PUBLIC_URL: 'http://127.0.0.1:1' };
  const product = await openProduct(parseConfig(settings), silentLog);
  try {
    return await makeShops(product, crowd);
  } finally {
    await product.close();
  }
}

async function makeProcesses(
  plan: StagePlan,
  kind: { readonly folder: string; readonly env: Record<string, string>; readonly role: 'gateway' | 'worker' },
): Promise<ManagedProcess[]> {
  const made: ManagedProcess[] = [];
  const count = kind.role === 'gateway' ? plan.gateways : plan.workers;
  for (let index = 1; index <= count; index += 1) {
    const name = `${kind.role}-${index}`;
    const logFile = join(kind.folder, 'logs', `${name}.log`);
    appendFileSync(logFile, '');
    const env = { ...kind.env, ROLES: kind.role };
    made.push(
      new ManagedProcess({
        name,
        home: plan.home ?? checkout,
        port: await freePort(),
        env,
        logFile,
        folder: kind.folder,
      }),
    );
  }
  return made;
}

/** Receipts at once; no limit and no window of the provider's stands in the way: the load does not pass through it. */
async function registerNumbers(
  standIn: StandIn,
  shops: readonly Shop[],
  { gateways, receiptsTogether }: { readonly gateways: readonly ManagedProcess[]; readonly receiptsTogether: number },
): Promise<void> {
  await standIn.control('PUT', 'settings', { retryTimeScale, batchUpTo: receiptsTogether });
  for (const [index, shop] of shops.entries()) {
    const gateway = gateways[index % gateways.length]!;
    await standIn.control('PUT', 'numbers', {
      provider: 'meta',
      number: shop.number,
      webhookUrl: `http://127.0.0.1:${gateway.plan.port}${shop.path}`,
      ids: { phoneNumberId: shop.phoneNumberId, wabaId: shop.wabaId },
      secrets: { appSecret: shop.appSecret, accessToken: shop.accessToken },
      window: false,
      limits: { perSecond: null, pair: false },
      receiptDelaysMs: { sent: 0, delivered: 0, read: 0 },
      order: receiptsTogether > 1 ? 'number' : 'customer',
    });
  }
}

function targetOf(shop: Shop): LoadTarget {
  const { path, appSecret, phoneNumberId, wabaId, canary } = shop;
  return { path, appSecret, phoneNumberId, wabaId, canary, displayNumber: shop.number.slice(1) };
}
