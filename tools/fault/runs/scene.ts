/** What all runs share: a stage, a load on it, the wait until all is quiet, and the judgement. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gatherEvidence } from '../check/check.ts';
import { drain } from '../check/drain.ts';
import type { Evidence } from '../check/verdict.ts';
import { type Load, startLoad } from '../load/load.ts';
import type { LoadProgress } from '../load/order.ts';
import { type Report, reportOf } from '../report.ts';
import { openStage, type Stage, type StagePlan } from '../stage/stage.ts';
import { judgeRecovery, type Kill, recoveryOf } from './recovery.ts';

export interface ScenePlan extends StagePlan {
  readonly name: string;
  /** Messages; null: until the faults are over. */
  readonly webhooks: number | null;
  readonly ratePerSecond: number;
  readonly conversations: number;
  /** Of the messages; they come a second time, as providers repeat them. Without it 0.03. */
  readonly duplicateShare?: number;
  /** Of the messages; before them comes a reaction to them, which goes the long way. Without it 0.02. */
  readonly earlyShare?: number;
  /** The load goes to this target alone. */
  readonly onlyTarget?: number;
  /** There is poison in this run: what is set aside is no failure. */
  readonly mayHaveDead?: boolean;
  /** How long the backlog may take to go to nothing. */
  readonly drainMs?: number;
  /** After the load has begun; resolves when no further fault comes. */
  readonly faults: (scene: Scene) => Promise<FaultsDone>;
  /** Once, before the first webhook: to plant a bug in the database. */
  readonly prepare?: (stage: Stage) => Promise<void>;
}

export interface Scene {
  readonly stage: Stage;
  readonly load: Load;
  /** Every kill, freeze or end that was dealt out, in order. */
  readonly kills: Kill[];
  /** How long the load may take in all. */
  readonly loadMs: number;
}

export interface FaultsDone {
  readonly failures: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  /** What further loads noted as acknowledged; they have ended. */
  readonly moreAcked?: readonly string[];
}

export const sceneLimits = { ackMs: 120_000, drainMs: 120_000, drainMsEach: 10, ledgerEveryMs: 1_000 } as const;

export async function play(plan: ScenePlan): Promise<Report> {
  const startedMs = performance.now();
  const stage = await openStage(plan);
  let isSound = false;
  try {
    await plan.prepare?.(stage);
    const stagedMs = performance.now();
    const report = await playOn(plan, stage, { startedMs, stagedMs });
    const isKept = Object.values(report.invariants).every((one) => one !== false);
    isSound = isKept && (report.details.failures as readonly string[]).length === 0;
    return report;
  } finally {
    if (!isSound) console.error(`what the processes said, and the database, lie in ${stage.folder}`);
    await stage.close(!isSound);
  }
}

async function playOn(
  plan: ScenePlan,
  stage: Stage,
  times: { readonly startedMs: number; readonly stagedMs: number },
): Promise<Report> {
  const ackedFile = join(stage.folder, 'logs', 'acked.ndjson');
  const load = startLoad({
    targets: stage.targets,
    ports: stage.gateways.map((gateway) => gateway.plan.port),
    conversations: plan.conversations,
    ...(plan.onlyTarget === undefined ? {} : { onlyTarget: plan.onlyTarget }),
    total: plan.webhooks,
    ratePerSecond: plan.ratePerSecond,
    seed: plan.seed,
    duplicateShare: plan.duplicateShare ?? 0.03,
    earlyShare: plan.earlyShare ?? 0.02,
    logFile: ackedFile,
  });
  const reading = setInterval(
    () => void stage.standIn.read().catch((error: unknown) => stage.note(String(error))),
    sceneLimits.ledgerEveryMs,
  );
  try {
    const loadMs = sceneLimits.ackMs + ((plan.webhooks ?? 0) / plan.ratePerSecond) * 2_000;
    const scene: Scene = { stage, load, kills: [], loadMs };
    const done = await plan.faults(scene);
    if (plan.webhooks === null) load.stop();
    const progress = await load.done(loadMs);
    const { lastAskedMs, ...told } = progress;
    for (const file of done.moreAcked ?? []) appendFileSync(ackedFile, readFileSync(file));
    const loadedMs = performance.now();
    const left = await drain(
      stage,
      plan.drainMs ?? sceneLimits.drainMs + (plan.webhooks ?? 0) * sceneLimits.drainMsEach,
    );
    const drainedMs = performance.now();
    const endings = await endServers(stage);
    const evidence = await gatherEvidence(stage, { ackedFile, isDrained: left === null });
    const recovery = await recoveryOf(stage, scene.kills, { ackedFile, lastAskedMs });
    return reportOf({
      name: plan.name,
      seed: plan.seed,
      sent: progress.sent,
      acked: progress.acked,
      kills: scene.kills.length,
      recoveryMs: recovery.longestMs,
      evidence,
      failures: [
        ...done.failures,
        ...failuresOf(stage, progress, evidence),
        ...(evidence.counts.dead > 0 && !plan.mayHaveDead
          ? [`${evidence.counts.dead} were set aside as dead that deserved it not`]
          : []),
        ...endings,
        ...judgeRecovery(recovery),
        ...(left ? [`not drained: ${JSON.stringify(left)}`] : []),
      ],
      details: {
        ...done.details,
        recovery: recovery.byKind,
        ...(recovery.unseen.length > 0 ? { recoveryUnseen: recovery.unseen } : {}),
        aims: recovery.aims,
        redis: stage.redis ? 'took part' : 'left out',
        load: { ...told, ratePerSecond: plan.ratePerSecond, conversations: plan.conversations },
        provider: {
          sends: stage.standIn.sends.length,
          refusals: stage.standIn.refusals,
          refusedWebhooks: stage.standIn.refusedWebhooks,
          lostWebhooks: stage.standIn.lostWebhooks,
        },
        seconds: {
          stage: seconds(times.stagedMs - times.startedMs),
          load: seconds(loadedMs - times.stagedMs),
          drain: seconds(drainedMs - loadedMs),
          check: seconds(performance.now() - drainedMs),
          all: seconds(performance.now() - times.startedMs),
        },
      },
    });
  } finally {
    clearInterval(reading);
    load.end();
  }
}

/** The orderly end is part of the run: a server that does not stop within its time is a failure. */
async function endServers(stage: Stage): Promise<readonly string[]> {
  await stage.cluster.hold();
  const all = [...stage.gateways, ...stage.workers];
  await Promise.all(all.map((one) => one.terminate()));
  return all.flatMap((one) => one.surprises);
}

function failuresOf(stage: Stage, progress: LoadProgress, evidence: Evidence): string[] {
  const failures: string[] = [];
  if (progress.refused > 0) failures.push(`${progress.refused} sound webhooks were refused for good`);
  const { refusedWebhooks, lostWebhooks } = stage.standIn;
  if (refusedWebhooks > 0) failures.push(`${refusedWebhooks} receipts were refused for good`);
  if (lostWebhooks > 0) failures.push(`the provider gave up ${lostWebhooks} receipts`);
  if (evidence.subjects.answered === 0) failures.push('the bot has answered nobody: this run proves nothing');
  if (stage.standIn.sends.length === 0) failures.push('the provider took nothing: this run proves nothing');
  return failures;
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
