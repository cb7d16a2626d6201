/** The balance as the watch makes it: what it finds is an incident, and so is that it could not be made. */
import { toPublicId, type WorkspaceId } from '@switchyard/contract';
import { type Balance, type Gap, hourMs, type Ledger } from '#inbox';
import type { Clock } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { type Alarms, type Finding, nameOfPart, type OpenIncident, type Part } from './alarms/index.ts';
import { balanceBackMs, endingOf, isMended, partOf, rowsOf } from './gap-parts.ts';
import { findRows } from './gap-store.ts';

export interface BalanceDeps {
  readonly ledger: Ledger;
  readonly alarms: Alarms;
  readonly clock: Clock;
}

const gapsNamed = 5;

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
  const from = new Date(now.getTime() - balanceBackMs);
  await ledger.roll(workspaceId, new Date(now.getTime() - 2 * 24 * hourMs));
  const balance = await ledger.balance({ workspaceId, span: { from, to: now } });
  await alarms.report(workspaceId, 'balance', async (tx, [open]) => {
    const left = open ? await leftOf(tx, open, balance) : [];
    const isKnown = (open?.seen.parts.length ?? 0) > 0;
    return {
      findings: balance.isBalanced ? [] : [findingOfGaps(balance, left, now)],
      endOf: () => (isKnown ? endingOf(left, now) : 'unwatched'),
    };
  });
  return balance;
}

/** Gaps of the open incident that this balance does not name, and that are not mended: it could not see them, or lost them. */
async function leftOf(tx: WorkspaceTx, { seen }: OpenIncident, balance: Balance): Promise<readonly Part[]> {
  const named = new Set(balance.gaps.map((gap) => nameOfPart(partOf(gap))));
  const missing = seen.parts.filter((part) => !named.has(nameOfPart(part)));
  if (missing.length === 0) return [];
  const rows = await findRows(tx, rowsOf(missing));
  return missing.filter((part) => !isMended(part, rows, balance));
}

function findingOfGaps({ gaps, gapCount }: Balance, left: readonly Part[], now: Date): Finding {
  const parts = [...left, ...gaps.map(partOf)].sort((a, b) => a.atMs - b.atMs);
  const byStage = Map.groupBy(parts, ({ group }) => group);
  const oldestMs = Math.min(...left.map(({ atMs }) => atMs), ...gaps.slice(0, 1).map(({ since }) => since.getTime()));
  return {
    subject: 'ledger',
    accountId: null,
    facts: {
      gaps: gapCount + left.length,
      stages: [...byStage].map(([stage, some]) => `${stage} ${some.length}`).join(', '),
      deliveries: gaps.slice(0, gapsNamed).flatMap(nameOf).join(', '),
      oldestMs: now.getTime() - oldestMs,
    },
    parts,
  };
}

const nameOf = ({ deliveryId }: Gap) => (deliveryId ? [toPublicId('delivery', deliveryId)] : []);
