/** The ledger, alarms, canaries and traces as the interface shows them. */
import {
  type AccountId,
  type AlarmTargetView,
  type BalanceView,
  type CanaryRunView,
  type DeliveryId,
  type FoundTraceView,
  type GapView,
  type IncidentView,
  type LedgerCountsView,
  toPublicId,
  type WatchedNumberView,
} from '@switchyard/contract';
import { type Balance, type Gap, type ShownCounts, shownCounts } from '#inbox';
import {
  type AlarmTarget,
  type FoundTrace,
  type Incident,
  type SeenRun,
  stateOf,
  summaryOf,
  type WatchedNumber,
} from '#monitoring';

export type NameOfAccount = (id: AccountId | null) => string | null;

export function presentBalance(balance: Balance, nameOf: NameOfAccount): BalanceView {
  const now = balance.countedAt.getTime();
  return {
    from: balance.from.toISOString(),
    to: balance.to.toISOString(),
    countedAt: balance.countedAt.toISOString(),
    isBalanced: balance.isBalanced,
    gapCount: balance.gapCount,
    unpacked: balance.unpacked,
    totals: presentCounts(shownCounts(balance.totals, balance)),
    hours: balance.hours.map(({ accountId, hour, counts }) => ({
      accountId: accountId && toPublicId('account', accountId),
      accountName: nameOf(accountId),
      hour: hour.toISOString(),
      ...presentCounts(shownCounts(counts, balance)),
    })),
    gaps: balance.gaps.map((gap) => presentGap(gap, now, nameOf)),
  };
}

/** What is learnt the rhythm from is no counter of the chain. */
function presentCounts({ heard: _heard, ...counts }: ShownCounts): LedgerCountsView {
  return counts;
}

function presentGap(gap: Gap, nowMs: number, nameOf: NameOfAccount): GapView {
  return {
    stage: gap.stage,
    accountId: gap.accountId && toPublicId('account', gap.accountId),
    accountName: nameOf(gap.accountId),
    deliveryId: gap.deliveryId && toPublicId('delivery', gap.deliveryId),
    eventId: gap.eventId && toPublicId('event', gap.eventId),
    outboundId: gap.outboundId && toPublicId('outbound', gap.outboundId),
    since: gap.since.toISOString(),
    ageMs: nowMs - gap.since.getTime(),
    detail: gap.detail,
  };
}

export function presentIncident(incident: Incident): IncidentView {
  return {
    id: toPublicId('incident', incident.id),
    kind: incident.kind,
    accountId: incident.accountId && toPublicId('account', incident.accountId),
    accountName: incident.accountName,
    facts: { ...incident.facts },
    summary: summaryOf(incident),
    state: stateOf(incident),
    openedAt: incident.openedAt.toISOString(),
    lastSeenAt: incident.lastSeenAt.toISOString(),
    timesSeen: incident.timesSeen,
    resolvedAt: incident.resolvedAt?.toISOString() ?? null,
  };
}

export function presentTarget({ id, kind, address, createdAt, lastNotice }: AlarmTarget): AlarmTargetView {
  return {
    id: toPublicId('alarmTarget', id),
    ...{ kind, address },
    createdAt: createdAt.toISOString(),
    lastNotice: lastNotice && { ...lastNotice, at: new Date(lastNotice.at).toISOString() },
  };
}

export function presentRun(run: SeenRun): CanaryRunView {
  return {
    id: toPublicId('delivery', run.id as DeliveryId),
    state: run.state,
    entrance: run.entrance,
    startedAt: run.startedAt.toISOString(),
    hops: run.hops.map(({ name, ms }) => ({ name, ms: ms === null ? null : Math.round(ms * 10) / 10 })),
    totalMs: run.totalMs === null ? null : Math.round(run.totalMs * 10) / 10,
    error: run.error,
  };
}

export function presentNumber(number: WatchedNumber): WatchedNumberView {
  const { verdict } = number;
  return {
    accountId: toPublicId('account', number.accountId),
    accountName: number.name,
    provider: number.provider,
    isConnected: number.isConnected,
    lastHeardAt: number.lastHeardAt?.toISOString() ?? null,
    rhythm: {
      verdict: verdict.kind,
      learntUntil: verdict.kind === 'learning' ? (verdict.until?.toISOString() ?? null) : null,
      quietMs: 'quietMs' in verdict ? verdict.quietMs : null,
      chance: 'chance' in verdict ? verdict.chance : null,
    },
    canary: { everyMinutes: number.everyMinutes, lastRun: number.lastRun && presentRun(number.lastRun) },
  };
}

export function presentFoundTrace(trace: FoundTrace): FoundTraceView {
  return { ...trace, at: trace.at.toISOString(), hops: [...trace.hops] };
}
