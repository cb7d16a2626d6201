/**
 * Each named moment, so many times: a gateway and two workers run on under load, each is started with the next point of its
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
  readonly template?: string;
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
 * Never the first: a message over which seven processes in a row have died is set aside as poison, and rightly so; the
 * first pass of one point after the other would make one of a sound message.
 */
const firstPass = 2;
const maxPass = 5;
const hitWithinMs = 20_000;
const tries = 3;

export function crashPoints(options: CrashPointOptions): Promise<Report> {
  const { seed, hits, ratePerSecond, home, template } = options;
  return play({
    name: 'crash-points',
    ...{ seed, ratePerSecond, ...(home ? { home } : {}), ...(template ? { template } : {}) },
    gateways: 1,
    workers: 2,
    isIdle: true,
    webhooks: null,
    earlyShare: 0.1,
    // Enough that nobody writes so often as to be told to slow down: five times a minute, and the bot answers twelve.
    conversations: Math.max(60, ratePerSecond * 12),
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
 * One of each part of the walk in turn: blow after blow in one part would fall on the same message, and what seven
 * processes in a row have died over is set aside as poison.
 */
function inTurns(names: readonly CrashPointName[]): CrashPointName[] {
  const parts = [...Map.groupBy(names, (name) => name.split('.')[0]).values()];
  const longest = Math.max(...parts.map((part) => part.length));
  return Array.from({ length: longest }, (_, nth) => parts.flatMap((part) => part[nth] ?? [])).flat();
}

async function strikeAll(scene: Scene, plan: StrikePlan) {
  const { stage } = scene;
  const { names, choices } = plan;
  await stage.cluster.hold();
  const counted = new Map<CrashPointName, number>(names.map((name) => [name, 0]));
  const lane = { scene, counted, hits: plan.hits };
  const ofWorker = inTurns(names.filter((name) => !gatewayPoints.includes(name)));
  await Promise.all([
    strikeGateway(
      { ...lane, process: stage.gateways[0]!, choices: choices.fork('gateway') },
      queueOf(
        names.filter((name) => gatewayPoints.includes(name)),
        plan.hits,
      ),
    ),
    strikeWorkers(lane, ofWorker, choices),
  ]);
  const missed = [...counted].filter(([, count]) => count < plan.hits);
  return {
    failures: missed.map(([name, count]) => `${name} was hit ${count} of ${plan.hits} times`),
    details: { hits: plan.hits, points: Object.fromEntries(names.map((name) => [name, counted.get(name)])) },
  };
}

interface Lane {
  readonly scene: Scene;
  readonly process: ManagedProcess;
  readonly choices: Choices;
  readonly counted: Map<CrashPointName, number>;
}

/** Then it goes on unarmed: what the workers are to fall over comes through it. */
async function strikeGateway(lane: Lane, queue: CrashPointName[]): Promise<void> {
  await strikeEach(lane, queue);
  await restart(lane.process);
}

/**
 * By two side by side: while one starts, which takes longest, the other falls. What is passed only after a death, by one
 * that is alone: the other would pass it in its place.
 */
async function strikeWorkers(
  { scene, counted, hits }: Pick<Lane, 'scene' | 'counted'> & Pick<StrikePlan, 'hits'>,
  names: readonly CrashPointName[],
  choices: Choices,
): Promise<void> {
  const [one, other] = scene.stage.workers as [ManagedProcess, ManagedProcess];
  const usual = queueOf(
    names.filter((name) => preparedBy[name] === undefined),
    hits,
  );
  await Promise.all(
    [one, other].map((process) =>
      strikeEach({ scene, counted, process, choices: choices.fork(process.plan.name) }, usual),
    ),
  );
  await other.kill();
  // The one that counts a try comes last of its round: the blows after it would fall on the same message.
  const prepared = queueOf(
    names.filter((name) => preparedBy[name] !== undefined).toSorted((a, b) => a.localeCompare(b)),
    hits,
  );
  await strikeEach({ scene, counted, process: one, choices: choices.fork('prepared') }, prepared);
  await restart(one);
}

/** Each once, and all of them again. */
function queueOf(names: readonly CrashPointName[], hits: number): CrashPointName[] {
  return Array.from({ length: hits }, () => names).flat();
}

/** Takes from the front of `queue` until it is empty; another may do so beside it. */
async function strikeEach(lane: Lane, queue: CrashPointName[]): Promise<void> {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (await strike(lane.scene, lane.process, name, lane.choices))
      lane.counted.set(name, (lane.counted.get(name) ?? 0) + 1);
  }
}

/** Unarmed. */
async function restart(process: ManagedProcess): Promise<void> {
  if (process.isRunning) await process.terminate();
  await process.start();
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
