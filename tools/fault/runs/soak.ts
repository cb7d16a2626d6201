/** Blows at every process, and random faults of the provider, spread over the load; all from the seed. */
import { reached } from '../load/reached.ts';
import type { Report } from '../report.ts';
import { type Choices, seeded } from '../seeded.ts';
import { paceOf } from '../sizes.ts';
import { type BlowName, blowNames, deal } from './blows.ts';
import { lift, order, type ProviderFaultName, providerFaultNames } from './provider-faults.ts';
import { play, type Scene, type ScenePlan } from './scene.ts';
import { boundsOf, schedule } from './schedule.ts';

export interface SoakOptions {
  readonly name?: string;
  readonly webhooks: number;
  readonly kills: number;
  readonly seed: number;
  /** Without it, as fast as leaves each blow its time. */
  readonly ratePerSecond?: number;
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

/**
 * Hardly anybody is to write so often that the bot tells them to slow down, at 12 answers a minute: 8 messages in a short
 * run, 7 or 8 a minute in a long one. And yet often enough that there is an order to keep.
 */
const messagesEach = { inShortRun: 8, ever: 15, secondsBetween: 8 } as const;
const faultTimes = 3;
const manyWebhooks = 2_500;

export function soak(options: SoakOptions): Promise<Report> {
  const { webhooks, kills, seed, home, template, prepare, drainMs, duplicateShare } = options;
  const ratePerSecond = paceOf({ webhooks, kills, rate: options.ratePerSecond });
  const choices = seeded(seed).fork('soak');
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
    conversations: options.conversations ?? conversationsFor(webhooks, ratePerSecond),
    faults: (scene) => dealAll(scene, { ...options, ratePerSecond }, choices),
  });
}

function conversationsFor(webhooks: number, ratePerSecond: number): number {
  const { inShortRun, ever, secondsBetween } = messagesEach;
  const forThePace = Math.min(Math.ceil(webhooks / inShortRun), Math.ceil(ratePerSecond * secondsBetween));
  return Math.max(60, Math.ceil(webhooks / ever), forThePace);
}

type DealPlan = SoakOptions & Required<Pick<SoakOptions, 'ratePerSecond'>>;

async function dealAll(scene: Scene, plan: DealPlan, choices: Choices) {
  const { stage, load } = scene;
  const { webhooks, kills, ratePerSecond, blows = blowNames, faults = providerFaultNames } = plan;
  const possible = blows.filter((blow) => blow !== 'postgres disk-full' || stage.smallDisk);
  const planned = schedule({ webhooks, kills, blows: possible, faults }, choices.fork('plan'));
  const marks = planned.map(({ atAcked }) => atAcked);
  const bounds = boundsOf(marks, webhooks, ratePerSecond);
  const dealing = choices.fork('blows');
  const unstruck: BlowName[] = [];
  let late = 0;
  for (const [index, { atAcked, blow, fault }] of planned.entries()) {
    load.bound(bounds[index]!.before);
    if (!(await reached(load, atAcked))) {
      late += 1;
      continue;
    }
    load.bound(bounds[index]!.during);
    if (fault) await order(stage.standIn, fault, 1 + dealing.below(faultTimes));
    const kill = await deal(stage, blow, dealing);
    if (kill) scene.kills.push({ ...kill, backMs: Date.now() });
    else unstruck.push(blow);
  }
  load.bound(null);
  await load.done(scene.loadMs);
  await lift(stage.standIn);
  return {
    failures: [
      ...(late > 0 ? [`the load was over before the last ${late} of ${planned.length} blows`] : []),
      ...unstruck.map((blow) => `"${blow}" found nothing to strike`),
    ],
    details: {
      choices: planned,
      unstruck,
      ...leftOutOf(
        blows,
        planned.map(({ blow }) => blow),
      ),
      ...diskOf(plan, scene),
    },
  };
}

/** Kinds that this run has not tried at all: there were fewer blows than kinds, or this machine does not let us. */
function leftOutOf(all: readonly BlowName[], dealt: readonly BlowName[]) {
  return { leftOut: all.filter((blow) => !dealt.includes(blow)) };
}

function diskOf({ hasSmallDisk, blows = [] }: SoakOptions, { stage, kills }: Scene) {
  if (!hasSmallDisk || !blows.includes('postgres disk-full')) return {};
  if (!stage.smallDisk) {
    const disk = 'not struck: a small disk of its own needs root and a loop device';
    console.error(`the disk was ${disk}`);
    return { disk };
  }
  const times = kills.filter(({ target, how }) => target === 'postgres' && how === 'disk-full').length;
  return { disk: times === 0 ? 'not struck: there were fewer blows than kinds' : `filled ${times} times` };
}
