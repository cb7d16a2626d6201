/**
 * What happens to all accounts at once: a crowd of them is written to while every cache is cold, every cache is dropped
 * together, the provider takes nothing for a while, and both gateways fall together. Each must pass smoothly: what one process
 * has to look up of an account it looks up once, and who knocks in between is answered in time.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { readAcked } from '../check/witnesses.ts';
import type { Report } from '../report.ts';
import type { Stage } from '../stage/stage.ts';
import { until } from '../stage/until.ts';
import { ackP99Of, judgeHerd, type Moment } from './herd-judgement.ts';
import { play, type Scene } from './scene.ts';

export interface HerdOptions {
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly home?: string;
}

export const herdLimits = { crowd: 150, betweenMs: 15_000, outageMs: 8_000 } as const;
/** While both gateways start again nobody is there to answer. */
const mayTakeMs = { usually: 1_000, afterTheFall: 15_000 } as const;

const gateways = 2;
/** Nobody is to write so often as to be told to slow down. */
const secondsBetweenMessages = 12;

export function herd({ seed, ratePerSecond, home }: HerdOptions): Promise<Report> {
  return play({
    name: 'herd',
    ...{ seed, ratePerSecond, ...(home ? { home } : {}), gateways, workers: 2, webhooks: null },
    crowd: herdLimits.crowd,
    receiptsTogether: 20,
    conversations: Math.max(ratePerSecond * secondsBetweenMessages, herdLimits.crowd * 2),
    faults: stampede,
  });
}

async function stampede(scene: Scene) {
  const { stage } = scene;
  const moments: Moment[] = [];
  const begin = async (name: string, what: () => Promise<unknown>, mayMs: number = mayTakeMs.usually) => {
    stage.note(name);
    moments.push({ name, atMs: Date.now(), mayMs });
    await what();
    await wait(herdLimits.betweenMs);
  };
  await begin('cold', async () => {});
  const dropped: number[] = [];
  await begin('caches dropped', async () => void dropped.push(await dropCaches(stage)));
  await begin('caches dropped again', async () => void dropped.push(await dropCaches(stage)));
  let refused = 0;
  await begin('outage', async () => {
    refused = await refuseAll(stage);
  });
  await begin('gateways killed', () => killGateways(scene), mayTakeMs.afterTheFall);
  await scene.load.stop();
  await until(() => scene.load.progress.kind === 'done', 60_000, 50);
  const p99Ms = ackP99Of(await readAcked(`${stage.folder}/logs/acked.ndjson`), moments);
  const lookUps = await mostLookUps(stage);
  // Cold, after each drop and after the fall; those who come while one is looked up are counted with it, so twice that.
  const mayLookUp = gateways * 4 * 2;
  return {
    failures: judgeHerd({ moments, p99Ms, lookUps, mayLookUp, refused, dropped }),
    details: { crowd: herdLimits.crowd, p99Ms, mostLookUpsOfAnAccount: lookUps, refused, dropped },
  };
}

/** Every process hears that its doorbell broke, and forgets all that it knows of routes and accounts. */
async function dropCaches({ cluster }: Stage): Promise<number> {
  const ended = await cluster.ask(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'switchyard doorbell'`,
  );
  return ended.length;
}

/** Gives how many sends were refused: who is told to come later comes back with all the others. */
async function refuseAll({ standIn }: Stage): Promise<number> {
  await standIn.read();
  const before = standIn.refusals;
  const outage = { kind: 'server_error', when: 'before', status: 503, operation: 'send' };
  await standIn.control('PUT', 'faults', { rules: [outage] });
  await wait(herdLimits.outageMs);
  await standIn.control('DELETE', 'faults', {});
  await standIn.read();
  return standIn.refusals - before;
}

async function killGateways({ stage, kills }: Scene): Promise<void> {
  for (const { plan } of stage.gateways) {
    kills.push({ target: 'gateway', how: 'all at once', atMs: Date.now(), port: plan.port });
  }
  await Promise.all(stage.gateways.map((gateway) => gateway.kill()));
  await Promise.all(stage.gateways.map((gateway) => gateway.start()));
}

/** null: none was counted. */
async function mostLookUps({ cluster }: Stage): Promise<number | null> {
  const [row] = await cluster.ask<{ most: string | null }>(
    `SELECT max(sum) AS most FROM (SELECT sum(count) FROM routing_counts WHERE outcome = 'miss' GROUP BY account_id) AS sums`,
  );
  return row && row.most !== null ? Number(row.most) : null;
}
