/** What is looked at again and again: each look is one function of a workspace that reports what it found. */
import { type AccountId, type DeliveryId, toPublicId, type WorkspaceId } from '@switchyard/contract';
import { hourMs } from '#inbox';
import type { Storage, WorkspaceTx } from '#storage';
import { countDeadLetters, type Finding } from './alarms/index.ts';
import type { BalanceDeps } from './balance.ts';
import { type Canaries, stoppedAt } from './canary/index.ts';
import { judgeSilence, type ListeningAccount, loadListening, rhythmLimits, type Verdict } from './silence/index.ts';

export interface WatchDeps extends BalanceDeps {
  readonly storage: Pick<Storage, 'inWorkspace' | 'workerStatement'>;
  readonly canaries: Canaries;
}

export const watchLimits = {
  deadLettersBackMs: 24 * hourMs,
} as const;

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
