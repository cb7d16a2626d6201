/** Every fault of the provider in turn, each for a part of the load; nobody is killed. */
import type { Report } from '../report.ts';
import { until } from '../stage/until.ts';
import { lift, order, providerFaultNames } from './provider-faults.ts';
import { play, type Scene } from './scene.ts';

export interface ProvidersOptions {
  readonly webhooks: number;
  readonly seed: number;
  readonly ratePerSecond: number;
}

const timesEach = 6;
const stallMs = 120_000;

export function providers({ webhooks, seed, ratePerSecond }: ProvidersOptions): Promise<Report> {
  return play({
    ...{ name: 'providers', webhooks, seed, ratePerSecond },
    gateways: 1,
    workers: 1,
    conversations: Math.max(60, Math.ceil(webhooks / 12)),
    faults: (scene) => strikeAll(scene, webhooks),
  });
}

async function strikeAll(scene: Scene, webhooks: number) {
  const { stage, load } = scene;
  for (const [index, name] of providerFaultNames.entries()) {
    const atAcked = Math.floor((index / providerFaultNames.length) * webhooks * 0.95);
    const isThere = await until(() => load.progress.acked >= atAcked, stallMs, 20);
    if (!isThere) throw new Error(`the load stands still at ${load.progress.acked} of ${atAcked}`);
    stage.note(name);
    await order(stage.standIn, name, timesEach);
  }
  await load.done(scene.loadMs);
  const struck = await struckOf(scene);
  await lift(stage.standIn);
  const unstruck = Object.entries(struck).filter(([, count]) => count === 0);
  return { failures: unstruck.map(([name]) => `${name} never struck`), details: { struck } };
}

async function struckOf({ stage }: Scene): Promise<Record<string, number>> {
  const { rules } = await stage.standIn.control<{ rules: { struck: number }[] }>('GET', 'faults');
  return Object.fromEntries(providerFaultNames.map((name, index) => [name, rules[index]?.struck ?? 0]));
}
