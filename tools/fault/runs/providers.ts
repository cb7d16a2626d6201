/** Every fault of the provider in turn, each for a part of the load; nobody is killed. */

import { reached } from '../load/reached.ts';
import type { Report } from '../report.ts';
import { type Choices, seeded } from '../seeded.ts';
import { until } from '../stage/until.ts';
import { lift, order, type ProviderFaultName, providerFaultNames } from './provider-faults.ts';
import { play, type Scene } from './scene.ts';
import { shuffled } from './schedule.ts';

export interface ProvidersOptions {
  readonly webhooks: number;
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly template?: string;
}

const mostTimesEach = 6;
/** Every second send is struck at most: the others show that the sender goes on. */
const sendsToEach = 2;
/** Tries that wait for the provider's own time come after the load. */
const strikeMs = 60_000;

export function providers({ webhooks, seed, ratePerSecond, template }: ProvidersOptions): Promise<Report> {
  return play({
    ...{ name: 'providers', webhooks, seed, ratePerSecond, ...(template ? { template } : {}) },
    gateways: 1,
    workers: 1,
    conversations: Math.max(60, Math.ceil(webhooks / 12)),
    faults: (scene) => strikeAll(scene, planFor(webhooks, seeded(seed).fork('providers'))),
  });
}

interface ProvidersPlan {
  readonly webhooks: number;
  readonly faults: readonly ProviderFaultName[];
  readonly timesEach: number;
}

/** Each fault, as often as there are sends for it; of fewer webhooks than faults each has one, and the rest is named. */
export function planFor(webhooks: number, choices: Choices): ProvidersPlan {
  const isTooFew = webhooks < providerFaultNames.length;
  const faults = isTooFew ? shuffled(providerFaultNames, choices).slice(0, webhooks) : providerFaultNames;
  const room = Math.floor(webhooks / faults.length / sendsToEach);
  return { webhooks, faults, timesEach: Math.max(1, Math.min(mostTimesEach, room)) };
}

async function strikeAll(scene: Scene, { webhooks, faults, timesEach }: ProvidersPlan) {
  const { stage, load } = scene;
  for (const [index, name] of faults.entries()) {
    // What is ordered strikes one after the other, also where the load is over before its turn.
    await reached(load, Math.floor((index / faults.length) * webhooks * 0.95));
    stage.note(name);
    await order(stage.standIn, name, timesEach);
  }
  await load.done(scene.loadMs);
  const areAllStruck = async () => Object.values(await struckOf(scene, faults)).every((count) => count > 0);
  await until(areAllStruck, strikeMs, 250);
  const struck = await struckOf(scene, faults);
  await lift(stage.standIn);
  const unstruck = Object.entries(struck).filter(([, count]) => count === 0);
  return {
    failures: unstruck.map(([name]) => `${name} never struck`),
    details: { struck, leftOut: providerFaultNames.filter((name) => !faults.includes(name)) },
  };
}

async function struckOf({ stage }: Scene, faults: readonly ProviderFaultName[]): Promise<Record<string, number>> {
  const { rules } = await stage.standIn.control<{ rules: { struck: number }[] }>('GET', 'faults');
  return Object.fromEntries(faults.map((name, index) => [name, rules[index]?.struck ?? 0]));
}
