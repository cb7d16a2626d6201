/**
 * When a message that surely did not go out is tried again. The failure's own advice comes first; without any, a wait
 * with decorrelated jitter: between the base and three times the wait before it, so that what failed together does not
 * come back together. An advice to wait longer than we go on trying is the end at once: sooner would be against it, and
 * what comes after in the conversation would stand behind it for nothing.
 */
import type { Failure } from '@switchyard/contract';

export interface RetryPolicy {
  readonly baseMs: number;
  /** Longest wait of our own making. */
  readonly capMs: number;
  /** Longest wait that a provider's advice can ask for; who asks for more is asked no more. */
  readonly maxAdviceMs: number;
  readonly maxAttempts: number;
  /** From the queueing of the message to its last try. */
  readonly maxTotalMs: number;
}

export const retryPolicy: RetryPolicy = {
  baseMs: 1_000,
  capMs: 5 * 60_000,
  maxAdviceMs: 6 * 3_600_000,
  maxAttempts: 10,
  maxTotalMs: 12 * 3_600_000,
};

export interface FailedTry {
  readonly failure: Failure;
  /** Tries so far, this one included. */
  readonly attempts: number;
  /** Since the message was queued. */
  readonly ageMs: number;
  /** The wait before this try; null: it was the first. */
  readonly previousWaitMs: number | null;
  /** The wall clock, for advice that names an instant. */
  readonly nowMs: number;
}

export type NextTry =
  | { readonly kind: 'again'; readonly waitMs: number }
  | { readonly kind: 'never' }
  | { readonly kind: 'used-up'; readonly reason: 'TriesUsedUp' | 'TimeUsedUp' };

export function nextTry(failed: FailedTry, policy: RetryPolicy, random: () => number): NextTry {
  if (failed.failure.retry.kind === 'never') return { kind: 'never' };
  if (failed.attempts >= policy.maxAttempts) return { kind: 'used-up', reason: 'TriesUsedUp' };
  const adviceMs = Math.max(0, adviceOf(failed) ?? 0);
  if (adviceMs > policy.maxAdviceMs) return { kind: 'used-up', reason: 'TimeUsedUp' };
  const waitMs = Math.ceil(Math.max(jittered(failed, policy, random), advised(adviceMs, policy, random)));
  if (failed.ageMs + waitMs > policy.maxTotalMs) return { kind: 'used-up', reason: 'TimeUsedUp' };
  return { kind: 'again', waitMs };
}

function jittered(failed: FailedTry, policy: RetryPolicy, random: () => number): number {
  const upper = Math.min(policy.capMs, (failed.previousWaitMs ?? policy.baseMs) * 3);
  return policy.baseMs + random() * Math.max(0, upper - policy.baseMs);
}

/** Never before the moment that was named; a little after it, each message by its own share of the base. */
function advised(adviceMs: number, policy: RetryPolicy, random: () => number): number {
  return adviceMs === 0 ? 0 : adviceMs + random() * policy.baseMs;
}

/** null: none that can be read. */
function adviceOf(failed: FailedTry): number | null {
  const { retry } = failed.failure;
  if (retry.kind === 'later') return retry.afterMs ?? null;
  if (retry.kind === 'never') return null;
  const at = Date.parse(retry.at);
  return Number.isNaN(at) ? null : at - failed.nowMs;
}
