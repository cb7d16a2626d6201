import type { AccountId } from '@switchyard/contract';
import type { SendOutcome } from '#channels';
import type { Clock, Log } from '#kernel';
import type { Counters } from '#storage';
import {
  askBreaker,
  type BreakerPolicy,
  type BreakerState,
  closedBreaker,
  noteAnswered,
  noteSilent,
  startProbe,
} from './breaker.ts';

export interface Breakers {
  /** How long this account's next message has to wait; 0: it may go. When the cool-down has ended, one may, anywhere. */
  ask(accountId: AccountId): Promise<number>;
  note(accountId: AccountId, outcome: SendOutcome['kind']): void;
}

/** Each process learns for itself that a provider is silent; which of them tries again first is agreed through Counters. */
export function createBreakers(deps: {
  readonly counters: Counters;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly policy: BreakerPolicy;
}): Breakers {
  const { clock, log, policy } = deps;
  /** Only those that are not closed and untouched: as many as there are accounts in trouble. */
  const states = new Map<AccountId, BreakerState>();

  async function claimProbe(accountId: AccountId): Promise<boolean> {
    try {
      return await deps.counters.claimOnce(`outbox:probe:${accountId}`, policy.probeMs);
    } catch (error) {
      log.warn({ err: error }, 'the counters cannot be asked; this process probes by itself');
      return true;
    }
  }

  return {
    async ask(accountId) {
      const state = states.get(accountId) ?? closedBreaker;
      const nowMs = clock.elapsedMs();
      const answer = askBreaker(state, nowMs);
      if (answer.kind === 'pass') return 0;
      if (answer.kind === 'wait') return answer.waitMs;
      const probing = startProbe(state, nowMs, policy);
      states.set(accountId, probing);
      return (await claimProbe(accountId)) ? 0 : policy.probeMs;
    },
    note(accountId, outcome) {
      const state = states.get(accountId) ?? closedBreaker;
      const isSilent = outcome === 'unreachable' || outcome === 'uncertain';
      const next = isSilent ? noteSilent(state, clock.elapsedMs(), policy, deps.random()) : noteAnswered();
      if (next.kind === 'closed' && next.failures === 0) states.delete(accountId);
      else states.set(accountId, next);
      if (next.kind === state.kind) return;
      // That a provider is silent is news to whoever carries the pager; that it speaks again is for the record.
      log[next.kind === 'open' ? 'warn' : 'info']({ accountId, from: state.kind, to: next.kind }, 'breaker');
    },
  };
}
