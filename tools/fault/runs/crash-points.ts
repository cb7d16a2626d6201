/**
 * Each named moment, so many times: a gateway and a worker run on under load, each is started with the next point of its
 * half of the list, falls there, and is started again. A point that is never reached fails the run.
 */
import { type CrashPointName, crashPointNames } from '../../../server/src/kernel/index.ts';
import type { Report } from '../report.ts';
import { type Choices, seeded } from '../seeded.ts';
import type { ManagedProcess } from '../stage/managed-process.ts';
import { play, type Scene } from './scene.ts';

export interface CrashPointOptions {
  readonly hits: number;
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly home?: string;
  /** Instead of all there are. */
  readonly only?: readonly CrashPointName[];
}

/** In the request's own process; all others are the worker's. */
const gatewayPoints: readonly CrashPointName[] = [
  'gateway.body-read',
  'gateway.verified',
  'gateway.before-store',
  'inbox.before-insert',
  'inbox.committed',
  'gateway.before-answer',
  'gateway.answered',
];

/** What must have died before there is anything to sweep or to count. */
const preparedBy: Partial<Record<CrashPointName, CrashPointName>> = {
  'turn.try-counted': 'turn.leased',
  'outbox.sweep-released': 'outbox.permitted',
  'outbox.sweep-doubted': 'outbox.marked',
};

/** Passed now and then only, so the first pass is struck. */
const rare: ReadonlySet<CrashPointName> = new Set([
  'normalise.before-release',
  'normalise.between-workspaces',
  'turn.leased',
  'turn.parked-released',
  'turn.try-counted',
  'parked.before-sweep',
  'outbox.sweep-released',
  'outbox.sweep-doubted',
]);

/**
 * Never the first: a message over which four processes in a row have died is set aside as poison, and rightly so; the
 * first pass of one point after the other would make one of a sound message.
 */
const firstPass = 2;
const maxPass = 5;
const hitWithinMs = 20_000;
const tries = 3;

export function crashPoints(options: CrashPointOptions): Promise<Report> {
  const { seed, hits, ratePerSecond, home } = options;
  return play({
    name: 'crash-points',
    ...{ seed, ratePerSecond, ...(home ? { home } : {}) },
    gateways: 1,
    workers: 1,
    webhooks: null,
    earlyShare: 0.1,
    // Enough that nobody writes so often as to be told to slow down.
    conversations: Math.max(60, ratePerSecond * 3),
    faults: (scene) =>
      strikeAll(scene, { hits, names: options.only ?? crashPointNames, choices: seeded(seed).fork('crash-points') }),
  });
}

interface StrikePlan {
  readonly names: readonly CrashPointName[];
  readonly hits: number;
  readonly choices: Choices;
}

/**
 * One of each part of the walk in turn: blow after blow in one part would fall on the same message, and what four
 * processes in a row have died over is set aside as poison.
 */
function inTurns(names: readonly CrashPointName[]): CrashPointName[] {
  const parts = [...Map.groupBy(names, (name) => name.split('.')[0]).values()];
  const longest = Math.max(...parts.map((part) => part.length));
  return Array.from({ length: longest }, (_, nth) => parts.flatMap((part) => part[nth] ?? [])).flat();
}

async function strikeAll(scene: Scene, plan: StrikePlan) {
  const { stage } = scene;
  const [ofGateway, ofWorker] = [true, false].map((isGateway) =>
    plan.names.filter((name) => gatewayPoints.includes(name) === isGateway),
  ) as [CrashPointName[], CrashPointName[]];
  await stage.cluster.hold();
  const [atGateway, atWorker] = await Promise.all([
    strikeEach(scene, stage.gateways[0]!, { ...plan, names: ofGateway, choices: plan.choices.fork('gateway') }),
    strikeEach(scene, stage.workers[0]!, { ...plan, names: inTurns(ofWorker), choices: plan.choices.fork('worker') }),
  ]);
  const points = { ...atGateway, ...atWorker };
  const missed = Object.entries(points).filter(([, count]) => count < plan.hits);
  return {
    failures: missed.map(([name, count]) => `${name} was hit ${count} of ${plan.hits} times`),
    details: { hits: plan.hits, points },
  };
}

async function strikeEach(scene: Scene, process: ManagedProcess, plan: StrikePlan): Promise<Record<string, number>> {
  if (plan.names.length === 0) return {};
  const counted: Record<string, number> = {};
  for (const name of plan.names) {
    counted[name] = 0;
    for (let hit = 0; hit < plan.hits; hit += 1) {
      if (await strike(scene, process, name, plan.choices)) counted[name] += 1;
    }
  }
  await process.terminate();
  await process.start();
  return counted;
}

/** True when it fell where it should. */
async function strike(scene: Scene, process: ManagedProcess, name: CrashPointName, choices: Choices): Promise<boolean> {
  const before = preparedBy[name];
  for (let attempt = 0; attempt < tries; attempt += 1) {
    if (before) await fallAt(scene, process, before, choices);
    if (await fallAt(scene, process, name, choices)) return true;
    scene.stage.note(`${name} was not reached in ${hitWithinMs} ms`);
  }
  return false;
}

async function fallAt(scene: Scene, process: ManagedProcess, name: CrashPointName, choices: Choices): Promise<boolean> {
  const pass = rare.has(name) ? 1 : firstPass + choices.below(maxPass - 1);
  if (process.isRunning) await process.kill();
  const seen = process.crashes.length;
  await process.start({ SWITCHYARD_CRASH_POINT: `${name}:${pass}` });
  const hasFallen = await process.hasEnded(hitWithinMs);
  if (!hasFallen) return false;
  const target = process.plan.name.startsWith('gateway') ? 'gateway' : 'worker';
  scene.kills.push({
    target,
    how: name,
    atMs: Date.now(),
    ...(target === 'gateway' ? { port: process.plan.port } : {}),
  });
  scene.stage.note(`${process.plan.name} fell at ${name}, pass ${pass}`);
  return process.crashes.slice(seen).some((crash) => crash.crashPoint === name);
}
