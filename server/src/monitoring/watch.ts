/** What is looked at again and again: each look is one function of a workspace that reports what it found. */
import { type AccountId, type DeliveryId, toPublicId, type WorkspaceId } from '@switchyard/contract';
import { type Balance, type Gap, hourMs, type Ledger } from '#inbox';
import type { Clock } from '#kernel';
import type { Storage, WorkspaceTx } from '#storage';
import { type Alarms, countDeadLetters, type Finding } from './alarms/index.ts';
import { type Canaries, stoppedAt } from './canary/index.ts';
import { judgeSilence, type ListeningAccount, loadListening, rhythmLimits, type Verdict } from './silence/index.ts';

export interface WatchDeps {
  readonly storage: Pick<Storage, 'inWorkspace' | 'workerStatement'>;
  readonly ledger: Ledger;
  readonly alarms: Alarms;
  readonly canaries: Canaries;
  readonly clock: Clock;
}

export const watchLimits = {
  /** The nightly balance looks back so far: each delivery is seen by two of them, and parked events until they end. */
  balanceBackMs: 9 * 24 * hourMs,
  deadLettersBackMs: 24 * hourMs,
  gapsNamed: 5,
} as const;

export async function balanceNow({ ledger, alarms, clock }: WatchDeps, workspaceId: WorkspaceId): Promise<Balance> {
  const now = clock.now();
  const from = new Date(now.getTime() - watchLimits.balanceBackMs);
  await ledger.roll(workspaceId, new Date(now.getTime() - 2 * 24 * hourMs));
  const balance = await ledger.balance({ workspaceId, span: { from, to: now } });
  await alarms.report(workspaceId, 'balance', balance.isBalanced ? [] : [findingOfGaps(balance, now)]);
  return balance;
}

function findingOfGaps({ gaps, gapCount }: Balance, now: Date): Finding {
  const byStage = new Map<string, number>();
  for (const { stage } of gaps) byStage.set(stage, (byStage.get(stage) ?? 0) + 1);
  return {
    subject: 'ledger',
    accountId: null,
    facts: {
      gaps: gapCount,
      stages: [...byStage].map(([stage, count]) => `${stage} ${count}`).join(', '),
      deliveries: gaps.slice(0, watchLimits.gapsNamed).flatMap(nameOf).join(', '),
      oldestMs: now.getTime() - (gaps[0]?.since.getTime() ?? now.getTime()),
    },
  };
}

const nameOf = ({ deliveryId }: Gap) => (deliveryId ? [toPublicId('delivery', deliveryId)] : []);

export type JudgedAccount = ListeningAccount & { readonly verdict: Verdict };

/** Every account with its rhythm judged, connected or not. */
export async function judgeAccounts(tx: WorkspaceTx, now: Date): Promise<JudgedAccount[]> {
  const since = new Date(now.getTime() - rhythmLimits.memoryHours * hourMs);
  return (await loadListening(tx, since)).map((account) => ({
    ...account,
    verdict: judgeSilence({ ...account, now }),
  }));
}

export async function watchSilence({ storage, alarms, clock }: WatchDeps, workspaceId: WorkspaceId): Promise<void> {
  const judged = await storage.inWorkspace(workspaceId, (tx) => judgeAccounts(tx, clock.now()));
  const findings = judged.flatMap(({ accountId, isConnected, lastHeardAt, verdict }) => {
    if (!isConnected || verdict.kind !== 'silent') return [];
    const { quietMs, chance } = verdict;
    return [
      { subject: accountId, accountId, facts: { quietMs, chance, lastHeardAt: lastHeardAt?.toISOString() ?? null } },
    ];
  });
  await alarms.report(workspaceId, 'silence', findings);
}

/** Of each account the newest run that has ended; one that is switched off is no longer anybody's trouble. */
export async function watchCanaries({ storage, alarms, canaries }: WatchDeps, workspaceId: WorkspaceId): Promise<void> {
  const { runs, schedules } = await storage.inWorkspace(workspaceId, async (tx) => ({
    schedules: await canaries.schedules(tx),
    runs: await canaries.latest(tx, 2),
  }));
  const newest = new Map<AccountId, (typeof runs)[number]>();
  for (const run of runs) if (run.state !== 'running' && !newest.has(run.accountId)) newest.set(run.accountId, run);
  const findings = [...newest.values()].flatMap((run) => {
    if (run.state === 'passed' || !schedules.has(run.accountId)) return [];
    return [{ subject: run.accountId, accountId: run.accountId, facts: canaryFacts(run) }];
  });
  await alarms.report(workspaceId, 'canary', findings);
}

function canaryFacts(run: Awaited<ReturnType<Canaries['latest']>>[number]) {
  const slow = run.totalMs === null ? null : `took ${run.totalMs} ms`;
  return {
    run: toPublicId('delivery', run.id as DeliveryId),
    hop: stoppedAt(run),
    totalMs: run.totalMs,
    error: run.error ?? slow,
  };
}

export async function watchDeadLetters({ storage, alarms, clock }: WatchDeps, workspaceId: WorkspaceId): Promise<void> {
  const since = new Date(clock.now().getTime() - watchLimits.deadLettersBackMs);
  const rows = await storage.inWorkspace(workspaceId, (tx) => countDeadLetters(tx, since));
  const findings = (isForeign: boolean) =>
    rows
      .filter((row) => row.isForeign === isForeign)
      .map(({ accountId, count, newest }) => ({
        subject: accountId ?? 'shared',
        accountId,
        facts: { count, newest: newest.toISOString() },
      }));
  await alarms.report(workspaceId, 'foreign-ids', findings(true));
  const others = [...Map.groupBy(findings(false), ({ subject }) => subject).values()].map(sumOf);
  await alarms.report(workspaceId, 'dead-letters', others);
}

function sumOf(
  findings: readonly (Finding & { readonly facts: { readonly count: number; readonly newest: string } })[],
): Finding {
  const [first] = findings as [(typeof findings)[number]];
  return { ...first, facts: { ...first.facts, count: findings.reduce((sum, { facts }) => sum + facts.count, 0) } };
}
