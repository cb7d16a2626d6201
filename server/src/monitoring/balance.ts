/** The balance as the watch makes it: what it finds is an incident, and so is that it could not be made. */
import { toPublicId, type WorkspaceId } from '@switchyard/contract';
import { type Balance, type Gap, hourMs, type Ledger } from '#inbox';
import type { Clock } from '#kernel';
import type { Alarms, Finding } from './alarms/index.ts';

export interface BalanceDeps {
  readonly ledger: Ledger;
  readonly alarms: Alarms;
  readonly clock: Clock;
}

export const balanceLimits = {
  /** It looks back so far: each delivery is seen by several of them, and parked events until they end. */
  backMs: 9 * 24 * hourMs,
  gapsNamed: 5,
} as const;

/** Rejects where the books could not be balanced, after that was reported. */
export async function balanceNow(deps: BalanceDeps, workspaceId: WorkspaceId): Promise<Balance> {
  const { alarms } = deps;
  try {
    const balance = await balanceAndReport(deps, workspaceId);
    await alarms.report(workspaceId, 'balance-failed', []);
    return balance;
  } catch (error) {
    await alarms.report(workspaceId, 'balance-failed', [findingOfFailure(error)]).catch(() => {
      // The database is away for this too; whoever asked is told by what is thrown below.
    });
    throw error;
  }
}

function findingOfFailure(error: unknown): Finding {
  const text = error instanceof Error ? error.message : String(error);
  return { subject: 'ledger', accountId: null, facts: { error: text.slice(0, 300) } };
}

async function balanceAndReport({ ledger, alarms, clock }: BalanceDeps, workspaceId: WorkspaceId): Promise<Balance> {
  const now = clock.now();
  const from = new Date(now.getTime() - balanceLimits.backMs);
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
      deliveries: gaps.slice(0, balanceLimits.gapsNamed).flatMap(nameOf).join(', '),
      oldestMs: now.getTime() - (gaps[0]?.since.getTime() ?? now.getTime()),
    },
  };
}

const nameOf = ({ deliveryId }: Gap) => (deliveryId ? [toPublicId('delivery', deliveryId)] : []);
