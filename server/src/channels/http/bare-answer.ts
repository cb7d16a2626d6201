import type { Failure, Retry } from '@switchyard/contract';
import type { SendOutcome } from '../channel.ts';
import type { CompleteAnswer } from './exchange.ts';
import { retryAfterMs } from './retry-after.ts';

/**
 * Judges an answer that does not speak the provider's language (HTML of a proxy, an empty body, other JSON) by its HTTP
 * status alone. A success nobody can read and every 5xx are uncertain: something behind the proxy may have taken it.
 */
export function judgeBareAnswer(answer: CompleteAnswer, nowMs: number): SendOutcome {
  const { status } = answer;
  if (status === 429) return refused('rate-limited', status, later(answer, nowMs));
  // 408 and 425 come from between: the request may have gone on before they were given.
  if (status === 408 || status === 425 || status >= 500 || status < 300) return uncertain(status);
  if (status === 401) return refused('credentials-refused', status, { kind: 'never' });
  if (status === 403) return refused('permission-missing', status, { kind: 'never' });
  if (status < 400) return refused('redirected', status, { kind: 'never' });
  return refused('request-refused', status, { kind: 'never' });
}

/** These say that something broke at the provider, not that it was before the message was taken. */
const breakdowns: ReadonlySet<string> = new Set(['provider-error', 'provider-unavailable']);

/**
 * May the message have been taken, though the provider named this failure? A server says 503 before it takes a request up;
 * the other 5xx may come when the message is already taken.
 */
export function mayHaveBeenTaken(failure: string, status: number): boolean {
  return breakdowns.has(failure) && status >= 500 && status !== 503;
}

/** `later`, after as long as the answer's Retry-After says where it says so. */
export function later(answer: CompleteAnswer, nowMs: number, otherwiseMs?: number): Retry {
  const afterMs = retryAfterMs(answer.headers['retry-after'], nowMs) ?? otherwiseMs;
  return afterMs === undefined ? { kind: 'later' } : { kind: 'later', afterMs };
}

function refused(code: string, status: number, retry: Retry): SendOutcome {
  const failure: Failure = { code, detail: `the provider answered HTTP ${status}`, retry, isCertain: true };
  return { kind: 'refused', failure };
}

function uncertain(status: number): SendOutcome {
  const detail = `the provider answered HTTP ${status} with nothing that says what became of the message`;
  return {
    kind: 'uncertain',
    failure: { code: 'answer-unreadable', detail, retry: { kind: 'never' }, isCertain: false },
  };
}
