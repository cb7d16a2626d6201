/** How a canary's run went: from when it passed each hop, its state. Pure. */
import type { AccountId, DeliveryId } from '@switchyard/contract';
import type { DeliveryTrace } from '#inbox';

/** As it is recorded; what the workers did with it is read from its trace. */
export interface CanaryRun {
  readonly id: DeliveryId;
  readonly accountId: AccountId;
  readonly startedAt: Date;
  readonly routedMs: number | null;
  readonly verifiedMs: number | null;
  readonly storedMs: number | null;
  readonly error: string | null;
}

export const hopNames = ['routed', 'verified', 'stored', 'normalised', 'handled', 'answered'] as const;
export type HopName = (typeof hopNames)[number];

export interface CanaryOutcome {
  readonly state: 'running' | 'passed' | 'late' | 'failed';
  readonly hops: readonly { readonly name: HopName; readonly ms: number | null }[];
  /** To the end of the handling; null while that is not. */
  readonly totalMs: number | null;
  readonly error: string | null;
}

/** `lateMs`: a hop that is not passed by then is late. `slowMs`: what passed, but took longer, is late too. */
export const canaryLimits = { lateMs: 60_000, slowMs: 10_000, keepDays: 30 } as const;

export function outcomeOf(run: CanaryRun, trace: DeliveryTrace | null, now: Date): CanaryOutcome {
  const times: Record<HopName, number | null> = {
    ...{ routed: run.routedMs, verified: run.verifiedMs, stored: run.storedMs },
    ...workersTimes(run, trace),
  };
  const hops = hopNames.map((name) => ({ name, ms: times[name] }));
  const error = run.error ?? problemIn(trace);
  const state = error !== null ? 'failed' : stateBy(times.handled, now.getTime() - run.startedAt.getTime());
  return { state, hops, totalMs: times.handled, error };
}

function stateBy(handledMs: number | null, ageMs: number): 'running' | 'passed' | 'late' {
  if (handledMs !== null) return handledMs > canaryLimits.slowMs ? 'late' : 'passed';
  return ageMs > canaryLimits.lateMs ? 'late' : 'running';
}

/** The database's clock against ours: never before what we saw ourselves. */
function workersTimes(run: CanaryRun, trace: DeliveryTrace | null) {
  const event = trace?.events[0];
  const since = (at: Date | null | undefined) =>
    at ? Math.max(run.storedMs ?? 0, at.getTime() - run.startedAt.getTime()) : null;
  const handled = event?.state === 'handled' ? since(event.settledAt) : null;
  return {
    normalised: since(trace?.normalisedAt),
    handled,
    answered: event && event.outbound.length > 0 ? handled : null,
  };
}

function problemIn(trace: DeliveryTrace | null): string | null {
  if (!trace) return null;
  if (trace.error !== null) return trace.error;
  const escaped = trace.events.flatMap(({ outbound }) => outbound).find(({ state }) => state !== 'held');
  return escaped ? `a reply of it is ${escaped.state}, and should be held` : null;
}

/** Where it stands: the first hop that it has not passed. */
export function stoppedAt(outcome: CanaryOutcome): HopName | null {
  return outcome.hops.find(({ name, ms }) => ms === null && name !== 'answered')?.name ?? null;
}
