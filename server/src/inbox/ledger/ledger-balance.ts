/** The ledger's door: what came of a span of hours, and every gap in it by name. */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import type { Clock } from '#kernel';
import { type Storage, StorageUnavailable } from '#storage';
import {
  addCounts,
  type CountForwarded,
  type Counts,
  type FindKeptSince,
  type FindUnpacked,
  findVanished,
  type Gap,
  hourMs,
  hourOf,
  type LedgerAsk,
  type LedgerHour,
  type LedgerSpan,
  noCounts,
  nothingForwarded,
  sumHours,
  type UnpackedDelivery,
  vanishedWithinMs,
} from './ledger.ts';
import {
  countHours,
  type FoundGaps,
  findActiveWorkspaces,
  findGaps,
  findSharedGaps,
  loadHours,
  saveHours,
} from './ledger-store.ts';
import { findUnpackedIn } from './unpacked-store.ts';

/** `lateMs`: longer than any lease, retry of a turn and pause of a busy hour. */
export const ledgerLimits = {
  lateMs: 10 * 60_000,
  parkedLateMs: 9 * 24 * hourMs,
  maxNamed: 200,
  longestSpanMs: 31 * 24 * hourMs,
  /** How far back an hour may still move without its row being counted again. */
  rollBackMs: 2 * hourMs,
} as const;

export interface Balance {
  readonly workspaceId: WorkspaceId;
  readonly from: Date;
  readonly to: Date;
  readonly countedAt: Date;
  /** Of hours before that a loss is not seen: their days may have been dropped. */
  readonly comparedSince: Date;
  readonly totals: Counts;
  /** False: nothing is forwarded to legacy systems, and `forwarded` says nothing. */
  readonly isForwarding: boolean;
  /** Received, in a batch, and not unpacked yet. */
  readonly unpacked: number;
  readonly hours: readonly LedgerHour[];
  /** The oldest first; at most `maxNamed` of a stage. */
  readonly gaps: readonly Gap[];
  /** All of them, named or not. */
  readonly gapCount: number;
  readonly isBalanced: boolean;
}

export interface Ledger {
  /** Looks at what is there now; changes nothing. `span` is widened to whole hours. */
  balance(ask: LedgerAsk): Promise<Balance>;
  /** Counts the last hours of a workspace into `ledger_hours`; back to `since` where the hours before may have moved. */
  roll(workspaceId: WorkspaceId, since?: Date): Promise<void>;
  /** As counted last, for longer than deliveries are kept. */
  counted(ask: LedgerAsk): Promise<readonly LedgerHour[]>;
  /** Workspaces that a count or a balance of the time since then can say anything about. */
  active(since: Date): Promise<readonly WorkspaceId[]>;
}

export interface LedgerDeps {
  readonly storage: Pick<Storage, 'inWorkspace' | 'workerStatement'>;
  readonly clock: Clock;
  readonly findUnpacked?: FindUnpacked;
  readonly countForwarded?: CountForwarded;
  readonly findKeptSince?: FindKeptSince;
  readonly limits?: Partial<typeof ledgerLimits>;
}

export function createLedger(deps: LedgerDeps): Ledger {
  return {
    balance: (ask) => balance(deps, ask),
    async roll(workspaceId, since) {
      const now = deps.clock.now();
      const from = hourOf(since ?? new Date(now.getTime() - ledgerLimits.rollBackMs));
      const ask = { workspaceId, span: { from, to: nextHour(now) } };
      const hours = sumHours([...(await storedHours(deps, ask)), ...(await forwardedHours(deps, ask))]);
      await deps.storage.inWorkspace(workspaceId, (tx) => saveHours(tx, hours, now));
    },
    counted: (ask) => deps.storage.inWorkspace(ask.workspaceId, (tx) => loadHours(tx, ask)),
    active: (since) =>
      findActiveWorkspaces(deps.storage, since, new Date(deps.clock.now().getTime() - limitsOf(deps).lateMs)),
  };
}

async function balance(deps: LedgerDeps, asked: LedgerAsk): Promise<Balance> {
  const now = deps.clock.now();
  const ask = { ...asked, span: { from: hourOf(asked.span.from), to: nextHour(asked.span.to) } };
  // In this order: what comes or is counted meanwhile may then be seen twice, and is never taken for a loss.
  const counted = await deps.storage.inWorkspace(ask.workspaceId, (tx) => loadHours(tx, ask));
  const unpacked = await (deps.findUnpacked ?? findUnpackedIn(deps.storage))(ask);
  const hours = sumHours([
    ...unpacked.map(({ accountId, receivedAt }) => hourWith(accountId, hourOf(receivedAt), { received: 1 })),
    ...(await storedHours(deps, ask)),
    ...(await forwardedHours(deps, ask)),
  ]);
  // After the count: a day that was dropped meanwhile is known as dropped by now.
  const comparedSince = (await deps.findKeptSince?.()) ?? new Date(now.getTime() - vanishedWithinMs);
  const found = await gapsOf(deps, ask, now);
  const more = [...findVanished(counted, hours, comparedSince), ...latePacked(unpacked, now, limitsOf(deps).lateMs)];
  const gaps = [...found.gaps, ...more].sort((a, b) => a.since.getTime() - b.since.getTime());
  const gapCount = found.count + more.length;
  return {
    workspaceId: ask.workspaceId,
    ...ask.span,
    countedAt: now,
    comparedSince,
    totals: hours.reduce((sum, { counts }) => addCounts(sum, counts), noCounts),
    isForwarding: deps.countForwarded !== undefined,
    unpacked: unpacked.length,
    hours: withOlder(hours, counted),
    gaps,
    gapCount,
    isBalanced: gapCount === 0,
  };
}

const limitsOf = (deps: LedgerDeps) => ({ ...ledgerLimits, ...deps.limits });

function nextHour(moment: Date): Date {
  const hour = hourOf(moment);
  return hour.getTime() === moment.getTime() ? hour : new Date(hour.getTime() + hourMs);
}

async function storedHours(deps: LedgerDeps, ask: LedgerAsk): Promise<LedgerHour[]> {
  const parts = await inParts(ask.span, (span) =>
    deps.storage.inWorkspace(ask.workspaceId, (tx) => countHours(tx, { ...ask, span })),
  );
  return parts.flat();
}

async function forwardedHours(deps: LedgerDeps, ask: LedgerAsk): Promise<LedgerHour[]> {
  const forwarded = await (deps.countForwarded ?? nothingForwarded)(ask);
  return forwarded.map(({ accountId, hour, count }) => hourWith(accountId, hour, { forwarded: count }));
}

function hourWith(accountId: AccountId | null, hour: Date, counts: Partial<Counts>): LedgerHour {
  return { accountId, hour, counts: { ...noCounts, ...counts } };
}

async function gapsOf(deps: LedgerDeps, ask: LedgerAsk, now: Date): Promise<FoundGaps> {
  const limits = limitsOf(deps);
  const parts = await inParts(ask.span, async (span) => {
    const own = await deps.storage.inWorkspace(ask.workspaceId, (tx) => findGaps(tx, { ...ask, span }, now, limits));
    if (ask.accountId !== undefined) return [own];
    return [own, await findSharedGaps(deps.storage, ask.workspaceId, span, limits.maxNamed)];
  });
  const found = parts.flat();
  return { gaps: found.flatMap(({ gaps }) => gaps), count: found.reduce((sum, { count }) => sum + count, 0) };
}

/**
 * A day at a time. A part that cannot be had within the time of a statement is halved, down to an hour: a busy workspace is
 * asked more often, a quiet one seldom.
 */
async function inParts<T>(span: LedgerSpan, work: (part: LedgerSpan) => Promise<T>): Promise<T[]> {
  const found: T[] = [];
  for (let from = span.from; from < span.to; ) {
    const to = new Date(Math.min(from.getTime() + 24 * hourMs, span.to.getTime()));
    found.push(...(await halvedWhereItMust({ from, to }, work)));
    from = to;
  }
  return found;
}

async function halvedWhereItMust<T>(span: LedgerSpan, work: (part: LedgerSpan) => Promise<T>): Promise<T[]> {
  try {
    return [await work(span)];
  } catch (error) {
    const hours = (span.to.getTime() - span.from.getTime()) / hourMs;
    if (!(error instanceof StorageUnavailable) || hours <= 1) throw error;
    const middle = new Date(span.from.getTime() + Math.floor(hours / 2) * hourMs);
    return [
      ...(await halvedWhereItMust({ from: span.from, to: middle }, work)),
      ...(await halvedWhereItMust({ from: middle, to: span.to }, work)),
    ];
  }
}

function latePacked(unpacked: readonly UnpackedDelivery[], now: Date, lateMs: number): Gap[] {
  return unpacked
    .filter(({ receivedAt, refusal }) => refusal !== null || now.getTime() - receivedAt.getTime() > lateMs)
    .map(({ accountId, deliveryId, receivedAt, refusal }) => ({
      stage: 'unpack',
      ...{ accountId, deliveryId, eventId: null, outboundId: null },
      since: receivedAt,
      detail: refusal ?? 'received, and not unpacked yet',
    }));
}

/** Hours whose deliveries are no longer kept are shown as they were counted. */
function withOlder(hours: readonly LedgerHour[], counted: readonly LedgerHour[]): LedgerHour[] {
  const known = new Set(hours.map(({ hour, accountId }) => `${hour.toISOString()} ${accountId}`));
  const older = counted.filter(({ hour, accountId }) => !known.has(`${hour.toISOString()} ${accountId}`));
  return sumHours([...hours, ...older]);
}
