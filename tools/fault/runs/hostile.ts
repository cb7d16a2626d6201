/**
 * Hostile requests beside an ordinary load (F27 to F33), at every provider's door: each has the one answer that it must get,
 * what was answered 200 lies in the inbox as it came, what is authentic and ours takes effect once, and nothing else does;
 * no sound webhook is sent away meanwhile, afterwards the load is judged as in every run, and memory has not grown.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countSecretsIn } from '../check/leaks.ts';
import type { LoadProgress } from '../load/order.ts';
import type { Report } from '../report.ts';
import type { Stage } from '../stage/stage.ts';
import { until } from '../stage/until.ts';
import { makeNeighbours, type Neighbours, secretsOf } from './hostile/accounts.ts';
import { changeSecret } from './hostile/change-secret.ts';
import { corpus } from './hostile/corpus.ts';
import { guessBesideSound } from './hostile/guesses.ts';
import { judgeHostile } from './hostile/judgement.ts';
import type { Targets } from './hostile/request.ts';
import { holdOn } from './hostile/slow.ts';
import { type Tell, Teller } from './hostile/teller.ts';
import { type FaultsDone, play, type Scene } from './scene.ts';

export interface HostileOptions {
  readonly webhooks: number;
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly template?: string;
}

/** Times the whole corpus; memory is measured after the first, when code and pools are warm. */
const rounds = 5;
const mayGrowBy = 1.5;
const settleMs = 60_000;
/** Nobody is there: a call to a provider that is not the stand-in stays on this machine, and fails. */
const nowhere = 'http://127.0.0.1:1';

export async function hostile({ webhooks, seed, ratePerSecond, template }: HostileOptions): Promise<Report> {
  let neighbours: Neighbours | undefined;
  try {
    return await play({
      ...{ name: 'hostile', webhooks, seed, ratePerSecond, ...(template ? { template } : {}) },
      gateways: 1,
      workers: 1,
      isIdle: true,
      conversations: Math.max(60, Math.ceil(webhooks / 12)),
      mayHaveDead: true,
      prepare: async (stage) => {
        neighbours = await makeNeighbours(stage);
        await startAll(stage);
      },
      faults: (scene) => attack(scene, neighbours!, seed),
    });
  } finally {
    await neighbours?.product.close();
  }
}

async function startAll({ gateways, workers }: Stage): Promise<void> {
  const env = { TWILIO_API_URL: nowhere, EVOLUTION_API_URL: nowhere, INSTAGRAM_GRAPH_URL: nowhere };
  await Promise.all([...gateways, ...workers].map((one) => one.start(env)));
}

async function attack(scene: Scene, neighbours: Neighbours, seed: number): Promise<FaultsDone> {
  const { stage, load } = scene;
  const gateway = stage.gateways[0]!;
  const { port } = gateway.plan;
  const [mine, other] = [stage.shops[0]!, stage.shops[1]!];
  const targets = (round: number): Targets => ({ mine, other, doors: neighbours.doors, port, round });
  const ackedFile = join(stage.folder, 'logs', 'acked-hostile.ndjson');
  const teller = new Teller(port, ackedFile);
  // They take longest, and stand in nobody's way: all the rest goes on beside them.
  const holding = holdOn(port, mine);
  const memory = await playCorpus(gateway.pid, targets, teller.tell);
  const guesses = await guessBesideSound(targets(rounds), seed, teller.tell);
  await changeSecret(neighbours, targets(rounds), teller.tell);
  const slow = await holding;
  await until(() => load.progress.kind === 'done', scene.loadMs, 100);
  await until(() => isSettled(stage), settleMs, 250);
  await stage.standIn.read();
  const facts = { expected: teller.expected, workspaceId: mine.workspaceId };
  const leaked = await countSecretsIn(stage.logFiles, secretsOf(neighbours));
  return {
    failures: [
      ...teller.wrong,
      ...[memory, guesses, slow].flatMap(({ failures }) => failures),
      ...sentAway(load.progress),
      ...(teller.acked === 0 ? ['nothing hostile was answered 200: what is stored of it proves nothing'] : []),
      ...(leaked > 0 ? [`${leaked} lines of the logs hold a secret`] : []),
      ...(await judgeHostile((text, values) => stage.cluster.ask(text, values), stage.standIn.sends, facts)),
    ],
    details: {
      ...{ requests: teller.requests, acked: teller.acked, took: teller.expected.takes.size },
      ...{ setAside: teller.expected.letters, ...memory.details, slow: slow.details, guesses: guesses.details },
    },
    moreAcked: teller.acked > 0 ? [ackedFile] : [],
  };
}

async function playCorpus(pid: number | undefined, targets: (round: number) => Targets, tell: Tell) {
  let warmMb = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const request of corpus(targets(round))) await tell(request);
    if (round === 0) warmMb = residentMb(pid);
  }
  const endMb = residentMb(pid);
  const failures = endMb > warmMb * mayGrowBy ? [`the gateway grew from ${warmMb} to ${endMb} MB`] : [];
  return { failures, details: { warmMb, endMb } };
}

/** The load is sound, and nothing is struck here: none of it may be refused, put off or left without an answer. */
function sentAway({ failures }: LoadProgress): string[] {
  return Object.entries(failures).map(([how, count]) => `${count} sound webhooks were not taken at once: ${how}`);
}

async function isSettled({ cluster }: Stage): Promise<boolean> {
  const [row] = await cluster.ask<{ open: string }>(
    `SELECT (SELECT count(*) FROM inbox WHERE state = 'stored') + (SELECT count(*) FROM arrivals)
       + (SELECT count(*) FROM events WHERE state = 'pending') AS open`,
  );
  return row?.open === '0';
}

function residentMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024);
}
