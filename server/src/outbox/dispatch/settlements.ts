/** What a send's outcome makes of its message: pure. */
import type { DeadLetterId, Failure } from '@switchyard/contract';
import type { SendOutcome } from '#channels';
import { moves } from '../states.ts';
import { nextTry, type RetryPolicy } from './retry-schedule.ts';
import type { Settlement } from './settle-store.ts';
import type { ClaimedMessage, MarkedMessage } from './walk.ts';

export interface SettlingFacts {
  readonly milliseconds: number;
  readonly nowMs: number;
  readonly settleMs: number;
  readonly policy: RetryPolicy;
  readonly random: () => number;
  readonly deadLetterId: () => DeadLetterId;
}

export function settlementOf(message: MarkedMessage, outcome: SendOutcome, facts: SettlingFacts): Settlement {
  const base = settlementBase(message, outcome, facts);
  switch (outcome.kind) {
    case 'sent':
      return { ...base, ...moves.sent, messageStatus: 'sent', providerMessageId: outcome.providerMessageId };
    case 'refused':
    case 'unreachable':
      return settleFailed(base, message, outcome.failure, facts);
    case 'uncertain':
      return { ...base, ...moves.doubt, messageStatus: 'uncertain', failure: outcome.failure, waitMs: facts.settleMs };
    default: {
      const never: never = outcome;
      return never;
    }
  }
}

/** The permit said no: no try was made. */
export function forbid(message: ClaimedMessage, failure: Failure): Settlement {
  return {
    ...nothingKnown,
    ...moves.forbid,
    outboundId: message.outboundId,
    accountId: message.accountId,
    attemptId: null,
    leaseEpoch: message.leaseEpoch,
    messageStatus: 'failed',
    failure,
  };
}

/** The lease of a marked message ran out: it may have been sent, and its answer may still come. */
export function doubt(
  message: Pick<Settlement, 'outboundId' | 'accountId' | 'attemptId'>,
  settleMs: number,
): Settlement {
  return {
    ...nothingKnown,
    ...moves.doubt,
    ...message,
    leaseEpoch: null,
    messageStatus: 'uncertain',
    attemptOutcome: 'uncertain',
    failure: {
      code: 'AnswerLost',
      detail: 'The sending was interrupted between the request and the record of its answer.',
      retry: { kind: 'never' },
      isCertain: false,
    },
    waitMs: settleMs,
  };
}

const nothingKnown = {
  attemptOutcome: null,
  providerMessageId: null,
  failure: null,
  milliseconds: null,
  waitMs: 0,
  deadLetter: null,
} as const;

type Base = Omit<Settlement, 'from' | 'to' | 'messageStatus'>;

function settlementBase(message: MarkedMessage, outcome: SendOutcome, facts: SettlingFacts): Base {
  const { outboundId, accountId } = message.claimed;
  return {
    ...nothingKnown,
    outboundId,
    accountId,
    attemptId: message.attemptId,
    leaseEpoch: null,
    attemptOutcome: outcome.kind,
    milliseconds: facts.milliseconds,
  };
}

function settleFailed(base: Base, message: MarkedMessage, failure: Failure, facts: SettlingFacts): Settlement {
  const { ageMs, previousWaitMs } = message.claimed;
  const failed = { failure, attempts: message.number, ageMs, previousWaitMs, nowMs: facts.nowMs };
  const next = nextTry(failed, facts.policy, facts.random);
  switch (next.kind) {
    case 'never':
      return { ...base, ...moves.refused, messageStatus: 'failed', failure };
    case 'again': {
      const waited = { ...failure, waitedMs: next.waitMs };
      return { ...base, ...moves.retry, messageStatus: 'queued', failure: waited, waitMs: next.waitMs };
    }
    case 'used-up': {
      const deadLetter = { id: facts.deadLetterId(), reason: next.reason };
      return { ...base, ...moves.exhausted, messageStatus: 'failed', failure, deadLetter };
    }
    default: {
      const never: never = next;
      return never;
    }
  }
}
