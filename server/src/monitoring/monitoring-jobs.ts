/** The background work of monitoring, by named jobs: each runs once across all processes, and may run again. */
import type { WorkspaceId } from '@switchyard/contract';
import { hourMs, ledgerLimits } from '#inbox';
import type { Log } from '#kernel';
import { type CredentialDeps, watchCredentials } from './accounts/credentials.ts';
import { balanceNow } from './balance.ts';
import { listBalanced, noteBalanced } from './balanced-store.ts';
import { findDueCanaries } from './canary/index.ts';
import { balanceBackMs } from './gap-parts.ts';
import { type RefusingDeps, watchRefusing } from './refusing/index.ts';
import { rhythmLimits } from './silence/index.ts';
import { type WatchDeps, watchCanaries, watchDeadLetters, watchLimits, watchOwedLooks, watchSilence } from './watch.ts';
import { listWithCanary, listWithIncident, listWithRound } from './watched-store.ts';

export interface MonitoringJobDeps extends WatchDeps, RefusingDeps {
  readonly alarms: WatchDeps['alarms'];
  readonly storage: WatchDeps['storage'] & RefusingDeps['storage'];
  readonly accounts: CredentialDeps['accounts'];
  readonly log: Log;
}

/** From this hour of the day (UTC) on, each workspace's books are balanced, once a day. */
const balanceHour = 2;
const canariesAtOnce = 200;
/** Also asked for at once, by whoever refuses webhooks. */
export const refusingRound = 'refusing-round';

export interface ScheduledJob {
  readonly everyMs: number;
  run(): Promise<void>;
}

/**
 * For the queue `maintenance`, by name. Each first asks in one statement which workspaces there is anything to look at: most
 * of thousands are quiet, and cost nothing.
 */
export function monitoringJobs(deps: MonitoringJobDeps): Readonly<Record<string, ScheduledJob>> {
  return {
    'ledger-roll': { everyMs: 1_800_000, run: () => rollAll(deps) },
    'ledger-round': { everyMs: 300_000, run: () => roundOfAll(deps) },
    'ledger-balance': { everyMs: 900_000, run: () => balanceAll(deps) },
    'canary-round': { everyMs: 60_000, run: () => canaryRound(deps) },
    [refusingRound]: { everyMs: 60_000, run: () => watchRefusing(deps, (ids, work) => inEach(deps, ids, work)) },
  };
}

async function rollAll(deps: MonitoringJobDeps): Promise<void> {
  const { ledger } = deps;
  await inEach(deps, await ledger.active(before(deps, ledgerLimits.rollBackMs + hourMs)), (id) => ledger.roll(id));
}

async function roundOfAll(deps: MonitoringJobDeps): Promise<void> {
  const heardSince = before(deps, rhythmLimits.memoryHours * hourMs);
  const deadSince = before(deps, watchLimits.deadLettersBackMs);
  const watched = await listWithRound(deps.storage, { heardSince, deadSince });
  await inEach(deps, watched, (id) => round(deps, id));
  // While the books are out of balance they are looked at in every round, so that a mended gap ends its alarm soon.
  await inEach(deps, await listWithIncident(deps.storage, 'balance'), async (id) => void (await balanceNow(deps, id)));
}

async function balanceAll(deps: MonitoringJobDeps): Promise<void> {
  const now = deps.clock.now();
  const tonight = new Date(now).setUTCHours(balanceHour, 0, 0, 0);
  if (now.getTime() < tonight) return;
  const active = await deps.ledger.active(before(deps, balanceBackMs));
  const open = await listWithIncident(deps.storage, 'balance');
  const failed = await listWithIncident(deps.storage, 'balance-failed');
  const balanced = await listBalanced(deps.storage, new Date(tonight));
  const due = [...new Set([...active, ...open, ...failed])].filter((id) => !balanced.has(id));
  await inEach(deps, due, (id) => balanceNightly(deps, id));
}

function before({ clock }: MonitoringJobDeps, ms: number): Date {
  return new Date(clock.now().getTime() - ms);
}

async function round(deps: MonitoringJobDeps, workspaceId: WorkspaceId): Promise<void> {
  await watchSilence(deps, workspaceId);
  await watchDeadLetters(deps, workspaceId);
  await watchOwedLooks(deps, workspaceId);
  await watchCredentials(deps, workspaceId);
}

async function balanceNightly(deps: MonitoringJobDeps, workspaceId: WorkspaceId): Promise<void> {
  const { gapCount } = await balanceNow(deps, workspaceId);
  await deps.storage.inWorkspace(workspaceId, (tx) => noteBalanced(tx, deps.clock.now()));
  deps.log.info({ workspaceId, gapCount }, 'the books were balanced');
}

async function canaryRound(deps: MonitoringJobDeps): Promise<void> {
  for (const { workspaceId, accountId } of await findDueCanaries(deps.storage, canariesAtOnce))
    await alone(deps, workspaceId, () => deps.canaries.runIfDue(workspaceId, accountId));
  const watched = await listWithCanary(deps.storage);
  await inEach(deps, watched, (workspaceId) => watchCanaries(deps, workspaceId));
}

async function inEach(
  deps: MonitoringJobDeps,
  workspaceIds: readonly WorkspaceId[],
  work: (workspaceId: WorkspaceId) => Promise<void>,
): Promise<void> {
  for (const id of workspaceIds) await alone(deps, id, () => work(id));
}

/** One workspace's trouble is not the others'. */
async function alone({ log }: MonitoringJobDeps, workspaceId: WorkspaceId, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.error({ workspaceId, error: String(error) }, 'a workspace could not be looked at; the next round tries again');
  }
}
