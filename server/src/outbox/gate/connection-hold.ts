/**
 * What the state of an account's connection means for what it should send (pure).
 *
 * Connected: it goes. An account that nobody has connected or disconnected yet may well be able to send (a number of the
 * Cloud API needs no session here): it goes, and the provider says. Otherwise a linked phone must be connected; of the
 * others only `error` and a disconnection by a person hold, since `connecting` waits for the first webhook only. What is
 * held waits in its order and says why; it goes when the account is connected again, and is refused once it is too old.
 */
import { type Failure, isPaired, type Provider } from '@switchyard/contract';

export interface ConnectionFacts {
  readonly status: 'disconnected' | 'connecting' | 'connected' | 'error';
  /** Why it is in that state, where that is known. */
  readonly reason: string | null;
  /** False: nobody and nothing has moved it since it was made. */
  readonly hasMoved: boolean;
}

export type ConnectionVerdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'hold'; readonly waitMs: number; readonly reason: Failure }
  | { readonly kind: 'expired'; readonly failure: Failure };

export const connectionHold = {
  /** From the queueing of a message: older ones would come as a surprise. As long as tries to send go on. */
  maxAgeMs: 12 * 3_600_000,
  /** Looked at again after half its age within these, should the news of the connection be lost. */
  leastWaitMs: 15_000,
  mostWaitMs: 5 * 60_000,
} as const;

export const notConnectedCode = 'AccountNotConnected';

export function judgeConnection(
  { provider, ageMs }: { readonly provider: Provider; readonly ageMs: number },
  facts: ConnectionFacts,
): ConnectionVerdict {
  if (!holds(provider, facts)) return { kind: 'pass' };
  const state = facts.status === 'error' ? 'in error' : facts.status;
  const detail = `The account is ${state}${facts.reason ? `: ${facts.reason}` : ''}.`;
  const failure = { code: notConnectedCode, isCertain: true, state: facts.status } as const;
  if (ageMs >= connectionHold.maxAgeMs) {
    const hours = connectionHold.maxAgeMs / 3_600_000;
    const expired = `${detail} The message has waited for ${hours} hours, and would come as a surprise now.`;
    return { kind: 'expired', failure: { ...failure, detail: expired, retry: { kind: 'never' } } };
  }
  const { leastWaitMs, mostWaitMs, maxAgeMs } = connectionHold;
  const waitMs = Math.min(maxAgeMs - ageMs, Math.max(leastWaitMs, Math.min(mostWaitMs, ageMs / 2)));
  return { kind: 'hold', waitMs, reason: { ...failure, detail, retry: { kind: 'later' } } };
}

function holds(provider: Provider, { status, hasMoved }: ConnectionFacts): boolean {
  if (status === 'connected' || !hasMoved) return false;
  return isPaired(provider) || status !== 'connecting';
}
