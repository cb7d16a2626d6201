/** The background work of monitoring, by named jobs: each runs once across all processes, and may run again. */
import type { WorkspaceId } from '@switchyard/contract';
import type { Log } from '#kernel';
import type { Engines } from '#storage';
import { type CredentialDeps, watchCredentials } from './accounts/credentials.ts';
import { findDueCanaries } from './canary/index.ts';
import { balanceNow, type WatchDeps, watchCanaries, watchDeadLetters, watchSilence } from './watch.ts';
import { listWorkspaceIds } from './workspace-ids-store.ts';

export interface MonitoringJobDeps extends WatchDeps {
  readonly accounts: CredentialDeps['accounts'];
  readonly engines: Pick<Engines, 'counters'>;
  readonly log: Log;
}

/** From this hour of the day (UTC) on, each workspace's books are balanced, once a day. */
const balanceHour = 2;
const dayMs = 24 * 3_600_000;
const canariesAtOnce = 200;

export interface ScheduledJob {
  readonly everyMs: number;
  run(): Promise<void>;
}

/** For the queue `maintenance`, by name. */
export function monitoringJobs(deps: MonitoringJobDeps): Readonly<Record<string, ScheduledJob>> {
  return {
    'ledger-roll': { everyMs: 1_800_000, run: () => inEach(deps, (workspaceId) => deps.ledger.roll(workspaceId)) },
    'ledger-round': { everyMs: 300_000, run: () => inEach(deps, (workspaceId) => round(deps, workspaceId)) },
    'ledger-balance': { everyMs: 900_000, run: () => inEach(deps, (workspaceId) => balanceNightly(deps, workspaceId)) },
    'canary-round': { everyMs: 60_000, run: () => canaryRound(deps) },
  };
}

/** While the books are out of balance they are looked at in every round, so that a mended gap ends its alarm soon. */
async function round(deps: MonitoringJobDeps, workspaceId: WorkspaceId): Promise<void> {
  await watchSilence(deps, workspaceId);
  await watchDeadLetters(deps, workspaceId);
  await watchCredentials(deps, workspaceId);
  const open = await deps.storage.inWorkspace(workspaceId, (tx) =>
    deps.alarms.incidents(tx, { state: 'open', limit: 100 }),
  );
  if (open.some(({ kind }) => kind === 'balance')) await balanceNow(deps, workspaceId);
}

async function balanceNightly(deps: MonitoringJobDeps, workspaceId: WorkspaceId): Promise<void> {
  const now = deps.clock.now();
  if (now.getUTCHours() < balanceHour) return;
  const day = now.toISOString().slice(0, 10);
  if (!(await deps.engines.counters.claimOnce(`balance:${workspaceId}:${day}`, 2 * dayMs))) return;
  const { gapCount } = await balanceNow(deps, workspaceId);
  deps.log.info({ workspaceId, gapCount }, 'the books were balanced');
}

async function canaryRound(deps: MonitoringJobDeps): Promise<void> {
  for (const { workspaceId, accountId } of await findDueCanaries(deps.storage, canariesAtOnce))
    await alone(deps, workspaceId, () => deps.canaries.runIfDue(workspaceId, accountId));
  await inEach(deps, (workspaceId) => watchCanaries(deps, workspaceId));
}

async function inEach(deps: MonitoringJobDeps, work: (workspaceId: WorkspaceId) => Promise<void>): Promise<void> {
  for (const id of await listWorkspaceIds(deps.storage)) await alone(deps, id, () => work(id));
}

/** One workspace's trouble is not the others'. */
async function alone({ log }: MonitoringJobDeps, workspaceId: WorkspaceId, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.error({ workspaceId, error: String(error) }, 'a workspace could not be looked at; the next round tries again');
  }
}
