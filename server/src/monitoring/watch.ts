/** What is looked at again and again: each look is one function of a workspace that reports what it found. */
import { type AccountId, type DeliveryId, toPublicId, type WorkspaceId } from '@switchyard/contract';
import { hourMs, listOwedLooks, listReconciliations, type OwedLook } from '#inbox';
import type { Storage, WorkspaceTx } from '#storage';
import {
  countDeadLetters,
  type Ending,
  type Finding,
  type Look,
  type OpenIncident,
  type SetAside,
} from './alarms/index.ts';
import type { BalanceDeps } from './balance.ts';
import { type Canaries, stoppedAt } from './canary/index.ts';
import { judgeSilence, type ListeningAccount, loadListening, rhythmLimits, type Verdict } from './silence/index.ts';

export interface WatchDeps extends BalanceDeps {
  readonly storage: Pick<Storage, 'inWorkspace' | 'workerStatement'>;
  readonly canaries: Canaries;
}

export const watchLimits = {
  deadLettersBackMs: 24 * hourMs,
  /** A provider that cannot be asked for what was lost may be away for so long before anybody is told. */
  unaskedMs: hourMs / 2,
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

export async function watchSilence({ alarms, clock }: WatchDeps, workspaceId: WorkspaceId): Promise<void> {
  await alarms.report(workspaceId, 'silence', async (tx) => {
    const judged = await judgeAccounts(tx, clock.now());
    const heardAt = new Map<string, string | null>(
      judged.map(({ accountId, lastHeardAt }) => [accountId, lastHeardAt?.toISOString() ?? null]),
    );
    return {
      findings: judged.flatMap(({ accountId, isConnected, lastHeardAt, verdict }) => {
        if (!isConnected || verdict.kind !== 'silent') return [];
        const { quietMs, chance } = verdict;
        const facts = { quietMs, chance, lastHeardAt: lastHeardAt?.toISOString() ?? null };
        return [{ subject: accountId, accountId, facts }];
      }),
      // A rhythm is forgotten too: only what was heard since ends a silence.
      endOf: ({ subject, facts }) => {
        const heard = heardAt.get(subject);
        return heard && heard > String(facts.lastHeardAt ?? '') ? 'resolved' : 'unwatched';
      },
    };
  });
}

/** Of each account the newest run that has ended; one that is switched off is no longer anybody's trouble. */
export async function watchCanaries({ storage, alarms, canaries }: WatchDeps, workspaceId: WorkspaceId): Promise<void> {
  const { runs, schedules } = await storage.inWorkspace(workspaceId, async (tx) => ({
    schedules: await canaries.schedules(tx),
    runs: await canaries.latest(tx, 2),
  }));
  const newest = new Map<string, (typeof runs)[number]>();
  for (const run of runs) if (run.state !== 'running' && !newest.has(run.accountId)) newest.set(run.accountId, run);
  const findings = [...newest.values()].flatMap((run) => {
    if (run.state === 'passed' || !schedules.has(run.accountId)) return [];
    return [{ subject: run.accountId, accountId: run.accountId, facts: canaryFacts(run) }];
  });
  const endOf = ({ subject }: OpenIncident): Ending => {
    if (newest.get(subject)?.state === 'passed') return 'resolved';
    return schedules.has(subject as AccountId) ? 'open' : 'unwatched';
  };
  await alarms.report(workspaceId, 'canary', async () => ({ findings, endOf }));
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

export async function watchDeadLetters({ alarms, clock }: WatchDeps, workspaceId: WorkspaceId): Promise<void> {
  for (const kind of ['foreign-ids', 'dead-letters'] as const)
    await alarms.report(workspaceId, kind, (tx, open) => lookForDeadLetters(tx, { kind, open, now: clock.now() }));
}

interface DeadLetterLook {
  readonly kind: 'foreign-ids' | 'dead-letters';
  readonly open: readonly OpenIncident[];
  readonly now: Date;
}

async function lookForDeadLetters(tx: WorkspaceTx, { kind, open, now }: DeadLetterLook): Promise<Look> {
  const ofKind = (row: SetAside) => row.isForeign === (kind === 'foreign-ids');
  const findings = (await countDeadLetters(tx, dayBefore(now)))
    .filter(ofKind)
    .map(({ accountId, count, newest }) => ({ subject: subjectOf(accountId), accountId, count, newest }));
  // Those that have left the day are still there as long as nobody has replayed them.
  const firstMs = Math.min(now.getTime(), ...open.map(({ openedAt }) => openedAt.getTime()));
  const left = open.length === 0 ? [] : (await countDeadLetters(tx, dayBefore(new Date(firstMs)))).filter(ofKind);
  return {
    findings: findings.map(({ count, newest, ...finding }) => ({
      ...finding,
      facts: { count, newest: newest.toISOString() },
    })),
    endOf: ({ subject, openedAt }) => {
      const isLeft = left.some((row) => subjectOf(row.accountId) === subject && row.newest >= dayBefore(openedAt));
      return isLeft ? 'unwatched' : 'resolved';
    },
  };
}

const subjectOf = (accountId: AccountId | null) => accountId ?? 'shared';

const dayBefore = (moment: Date) => new Date(moment.getTime() - watchLimits.deadLettersBackMs);

/** What may have been lost, and could not be asked for. */
export async function watchOwedLooks({ alarms, clock }: WatchDeps, workspaceId: WorkspaceId): Promise<void> {
  await alarms.report(workspaceId, 'unasked', async (tx, open) => {
    const owed = await listOwedLooks(tx);
    const late = owed.filter(
      ({ tries, owedSince }) => tries > 0 && clock.now().getTime() - owedSince.getTime() >= watchLimits.unaskedMs,
    );
    const still = new Set<string>(owed.map(({ accountId }) => accountId));
    const had = await lookedAt(
      tx,
      open.map(({ accountId }) => accountId).filter((id) => id !== null),
    );
    return {
      findings: late.map(findingOfOwed),
      endOf: ({ subject }) => (still.has(subject) ? 'open' : had.has(subject) ? 'resolved' : 'unwatched'),
    };
  });
}

function findingOfOwed({ accountId, from, until, tries, detail }: OwedLook): Finding {
  const facts = { from: from.toISOString(), until: until.toISOString(), spanMs: until.getTime() - from.getTime() };
  return { subject: accountId, accountId, facts: { ...facts, tries, error: detail } };
}

/** Of these accounts those whose newest look was had. */
async function lookedAt(tx: WorkspaceTx, accountIds: readonly AccountId[]): Promise<ReadonlySet<string>> {
  const had = new Set<string>();
  for (const accountId of accountIds) {
    const [newest] = await listReconciliations(tx, accountId, 1);
    if (newest && newest.state !== 'failed' && newest.state !== 'running') had.add(accountId);
  }
  return had;
}
