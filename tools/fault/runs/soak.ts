/** Random blows at every process, and random faults of the provider, spread over the load; all from the seed. */
import type { Report } from '../report.ts';
import { type Choices, seeded } from '../seeded.ts';
import { until } from '../stage/until.ts';
import { type BlowName, blowNames, deal } from './blows.ts';
import { lift, order, type ProviderFaultName, providerFaultNames } from './provider-faults.ts';
import { play, type Scene, type ScenePlan } from './scene.ts';

export interface SoakOptions {
  readonly name?: string;
  readonly webhooks: number;
  readonly kills: number;
  readonly seed: number;
  readonly ratePerSecond: number;
  /** Instead of all there are. */
  readonly blows?: readonly BlowName[];
  readonly faults?: readonly ProviderFaultName[];
  readonly duplicateShare?: number;
  readonly gateways?: number;
  /** Without it, as many as the pace wants. */
  readonly conversations?: number;
  /** In one POST; without it 20 where there are many webhooks, else each by itself. */
  readonly receiptsTogether?: number;
  readonly hasRedis?: boolean;
  readonly hasSmallDisk?: boolean;
  readonly home?: string;
  readonly template?: string;
  readonly prepare?: ScenePlan['prepare'];
  readonly drainMs?: number;
}

interface Planned {
  /** When so many webhooks have been acknowledged. */
  readonly atAcked: number;
  readonly blow: BlowName;
  readonly fault: ProviderFaultName | null;
}

/**
 * Hardly anybody is to write so often that the bot tells them to slow down, at 12 answers a minute: 8 messages in a short
 * run, 7 or 8 a minute in a long one. And yet often enough that there is an order to keep.
 */
const messagesEach = { inShortRun: 8, ever: 15, secondsBetween: 8 } as const;
const faultTimes = 3;
const manyWebhooks = 2_500;
const stallMs = 120_000;

export function soak(options: SoakOptions): Promise<Report> {
  const { webhooks, seed, ratePerSecond, home, template, prepare, drainMs, duplicateShare } = options;
  const choices = seeded(seed).fork('soak');
  const planned = plan(options, choices.fork('plan'));
  return play({
    name: options.name ?? 'soak',
    ...{
      webhooks,
      seed,
      ratePerSecond,
      ...(home ? { home } : {}),
      ...(template ? { template } : {}),
      ...(prepare ? { prepare } : {}),
      ...(drainMs ? { drainMs } : {}),
      ...(duplicateShare ? { duplicateShare } : {}),
    },
    gateways: options.gateways ?? 2,
    hasRedis: options.hasRedis ?? false,
    hasSmallDisk: options.hasSmallDisk ?? false,
    workers: 2,
    // Each message has replies, and each reply three receipts: one by one they would be most of a long run.
    receiptsTogether: options.receiptsTogether ?? (webhooks > manyWebhooks ? 20 : 1),
    conversations: options.conversations ?? conversationsFor(options),
    faults: (scene) => dealAll(scene, planned, choices.fork('blows')),
  });
}

function conversationsFor({ webhooks, ratePerSecond }: SoakOptions): number {
  const { inShortRun, ever, secondsBetween } = messagesEach;
  const forThePace = Math.min(Math.ceil(webhooks / inShortRun), ratePerSecond * secondsBetween);
  return Math.max(60, Math.ceil(webhooks / ever), forThePace);
}

function plan(options: SoakOptions, choices: Choices): Planned[] {
  const { webhooks, kills } = options;
  const blows = options.blows ?? blowNames;
  const faults = options.faults ?? providerFaultNames;
  return Array.from({ length: kills }, (_, index) => ({
    atAcked: Math.floor(((index + choices.next() * 0.8) / kills) * webhooks * 0.95),
    blow: choices.pick(blows),
    fault: faults.length > 0 && choices.next() < 0.5 ? choices.pick(faults) : null,
  }));
}

async function dealAll(scene: Scene, planned: readonly Planned[], choices: Choices) {
  const { stage, load } = scene;
  const unstruck: BlowName[] = [];
  let late = 0;
  for (const { atAcked, blow, fault } of planned) {
    const isThere = await until(() => load.progress.acked >= atAcked || load.progress.kind === 'done', stallMs, 20);
    if (!isThere) throw new Error(`the load stands still at ${load.progress.acked} of ${atAcked}`);
    if (load.progress.kind === 'done') {
      late += 1;
      continue;
    }
    if (fault) await order(stage.standIn, fault, 1 + choices.below(faultTimes));
    const kill = await deal(stage, blow, choices);
    if (kill) scene.kills.push(kill);
    else unstruck.push(blow);
  }
  await load.done(scene.loadMs);
  await lift(stage.standIn);
  const disk = stage.smallDisk ? 'filled' : 'not struck: a disk of its own needs root and a loop device';
  const isDiskAsked = planned.some(({ blow }) => blow === 'postgres disk-full');
  const missed = unstruck.filter((blow) => blow !== 'postgres disk-full');
  return {
    failures: [
      ...(late > 0 ? [`the load was over before the last ${late} of ${planned.length} blows`] : []),
      ...missed.map((blow) => `"${blow}" found nothing to strike`),
    ],
    details: { choices: planned, unstruck, ...(isDiskAsked ? { disk } : {}) },
  };
}
