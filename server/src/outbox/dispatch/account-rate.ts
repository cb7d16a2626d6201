/** Messages a second for one account, shared by all processes through Counters. */
import type { AccountId } from '@switchyard/contract';
import type { Clock, Log } from '#kernel';
import type { Counters } from '#storage';
import { type LaneClass, limits } from './limits.ts';

export interface RateDeps {
  readonly counters: Counters;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export interface RateRequest {
  readonly accountId: AccountId;
  readonly lanes: LaneClass;
  readonly messagesPerSecond: number;
  readonly count: number;
}

interface Window {
  readonly endsAtMs: number;
  readonly total: number;
}

export interface AccountRate {
  /** For each of `count` messages, how long it has to wait; 0: it may go. */
  take(request: RateRequest): Promise<readonly number[]>;
}

/** While the shared counters do not answer: half of the limit, since other processes count for themselves too. */
const strictShare = 0.5;
const maxLocalWindows = 10_000;

export function createAccountRate(deps: RateDeps): AccountRate {
  const local = new Map<string, Window>();

  function addLocally(key: string, count: number, windowMs: number): { total: number; remainingMs: number } {
    const nowMs = deps.clock.elapsedMs();
    const running = local.get(key);
    const isOver = !running || running.endsAtMs <= nowMs;
    const window = isOver ? { endsAtMs: nowMs + windowMs, total: count } : { ...running, total: running.total + count };
    if (isOver && local.size >= maxLocalWindows) local.clear();
    local.set(key, window);
    return { total: window.total, remainingMs: window.endsAtMs - nowMs };
  }

  return {
    async take({ accountId, lanes, messagesPerSecond, count }) {
      const row = limits.find((limit) => limit.scope === 'account' && limit.lanes === lanes)!;
      const share = row.scope === 'account' ? row.share : 1;
      const key = `outbox:${row.name}:${accountId}`;
      const limit = limitOf(messagesPerSecond * share, row.windowMs);
      try {
        const window = await deps.counters.add(key, count, limit.windowMs);
        return spread({ ...window, ...limit, count }, deps.random);
      } catch (error) {
        deps.log.warn({ err: error }, 'the counters cannot be asked; a stricter limit of this process holds');
        const strict = limitOf(messagesPerSecond * share * strictShare, row.windowMs);
        const window = addLocally(key, count, strict.windowMs);
        return spread({ ...window, ...strict, count }, deps.random);
      }
    },
  };
}

/** So many a window; where that is less than one, a window long enough for one. */
function limitOf(perSecond: number, windowMs: number): { readonly most: number; readonly windowMs: number } {
  const most = Math.floor((perSecond * windowMs) / 1_000);
  return most >= 1 ? { most, windowMs } : { most: 1, windowMs: Math.ceil(1_000 / perSecond) };
}

export interface Taken {
  readonly total: number;
  readonly remainingMs: number;
  readonly most: number;
  readonly count: number;
  readonly windowMs: number;
}

/** The first ones go; the others are spread over the windows to come, each in the one in which there is room for it. */
export function spread(taken: Taken, random: () => number): readonly number[] {
  const before = taken.total - taken.count;
  return Array.from({ length: taken.count }, (_, index) => {
    const excess = before + index - taken.most;
    if (excess < 0) return 0;
    const windowsAhead = Math.floor(excess / taken.most);
    return Math.ceil(taken.remainingMs + windowsAhead * taken.windowMs + random() * (taken.windowMs / 10));
  });
}
