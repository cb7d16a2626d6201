/**
 * `ingest`: signed Meta webhooks with a durable acknowledgement, beside a bare `node:http` server that drains the body
 * and answers 200. Same Node, same load generator, interleaved; the ratio is the median of the pairs'.
 */
import type { LoadOrder, LoadReport } from './loader.ts';
import type { MetaTarget } from './meta-body.ts';
import {
  answerOf,
  ask,
  cpuSeconds,
  databaseCpuSeconds,
  forkTool,
  median,
  rssMb,
  type StartedServer,
  startServer,
} from './processes.ts';
import { makeShop, type Shop } from './shop.ts';

export interface IngestOptions {
  readonly pairs: number;
  readonly seconds: number;
  readonly connections: number;
}

/**
 * Before anything counts, each side has this much of the same load: what is measured is sustained, and for the first ten
 * thousands of requests Node spends a good part of its time compiling, on either side.
 */
const warmUpSeconds = 4;

export async function ingest(options: IngestOptions) {
  const shop = await makeShop({ ROLES: 'gateway' });
  const bare = forkTool('./bare-server.ts');
  const { port: barePort } = await answerOf<{ port: number }>(bare);
  const server = await startServer(shop.env);
  const postmaster = shop.postmaster();
  const pairs: (Taken & Bare)[] = [];
  try {
    await load(barePort, shop.target, { ...options, seconds: warmUpSeconds });
    await load(shop.port, shop.target, { ...options, seconds: warmUpSeconds });
    for (let pair = 0; pair < options.pairs; pair += 1) {
      const bareBefore = cpuSeconds(bare.pid ?? 0);
      const first = await load(barePort, shop.target, options);
      const bareUs = usEach(cpuSeconds(bare.pid ?? 0) - bareBefore, answered(first));
      const bareLoaderUs = usEach(first.cpuSeconds, first.requests);
      const taken = await takeIn({ shop, server, postmaster }, options);
      const { ours } = taken;
      pairs.push({ bare: first, bareUs, bareLoaderUs, ...taken });
      console.error(
        `pair ${pair + 1}: bare ${first.rps.toFixed(0)}/s, ours ${ours.rps.toFixed(0)}/s, ratio ${(ours.rps / first.rps).toFixed(3)}`,
      );
    }
    return {
      name: 'ingest',
      baselineRps: Math.round(median(pairs.map((pair) => pair.bare.rps))),
      oursRps: Math.round(median(pairs.map((pair) => pair.ours.rps))),
      ratio: round(median(pairs.map((pair) => pair.ours.rps / pair.bare.rps)), 3),
      p50Ms: round(median(pairs.map((pair) => pair.ours.p50Ms)), 2),
      p99Ms: round(median(pairs.map((pair) => pair.ours.p99Ms)), 2),
      rssMb: round(rssMb(server.pid), 1),
      cpuUsPerRequest: {
        gateway: round(median(pairs.map((pair) => pair.gatewayUs)), 1),
        database: round(median(pairs.map((pair) => pair.databaseUs)), 1),
        loader: round(median(pairs.map((pair) => pair.loaderUs)), 1),
      },
      baselineCpuUsPerRequest: {
        bare: round(median(pairs.map((pair) => pair.bareUs)), 1),
        loader: round(median(pairs.map((pair) => pair.bareLoaderUs)), 1),
      },
      pairs: pairs.map((pair) => round(pair.ours.rps / pair.bare.rps, 3)),
    };
  } finally {
    bare.kill();
    await server.stop();
    shop.remove();
  }
}

interface Bare {
  readonly bare: LoadReport;
  readonly bareUs: number;
  readonly bareLoaderUs: number;
}

export interface Taken {
  readonly ours: LoadReport;
  /** CPU of one webhook, in microseconds. */
  readonly gatewayUs: number;
  readonly databaseUs: number;
  readonly loaderUs: number;
}

/** One stretch of load on the server. Throws when a webhook was not acknowledged. */
export async function takeIn(
  { shop, server, postmaster }: { readonly shop: Shop; readonly server: StartedServer; readonly postmaster: number },
  options: Omit<IngestOptions, 'pairs'>,
): Promise<Taken> {
  const before = [cpuSeconds(server.pid), databaseCpuSeconds(postmaster)] as const;
  const ours = await load(shop.port, shop.target, options);
  const gatewayUs = usEach(cpuSeconds(server.pid) - before[0], answered(ours));
  const databaseUs = usEach(databaseCpuSeconds(postmaster) - before[1], answered(ours));
  refuseLoss(ours);
  return { ours, gatewayUs, databaseUs, loaderUs: usEach(ours.cpuSeconds, ours.requests) };
}

function load(port: number, target: MetaTarget, options: Omit<IngestOptions, 'pairs'>): Promise<LoadReport> {
  const order: LoadOrder = {
    port,
    target,
    connections: options.connections,
    seconds: options.seconds,
    warmSeconds: 0.5,
  };
  return ask<LoadReport>('./loader.ts', order);
}

function usEach(seconds: number, requests: number): number {
  return (seconds / Math.max(1, requests)) * 1e6;
}

function answered(report: LoadReport): number {
  return Object.values(report.statuses).reduce((sum, count) => sum + count, 0);
}

function refuseLoss(report: LoadReport): void {
  const others = Object.keys(report.statuses).filter((status) => status !== '200');
  if (others.length > 0) throw new Error(`not every request was acknowledged: ${JSON.stringify(report.statuses)}`);
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
