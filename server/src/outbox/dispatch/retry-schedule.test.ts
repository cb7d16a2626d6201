import { fc, test as property } from '@fast-check/vitest';
import type { Retry } from '@switchyard/contract';
import { expect, test } from 'vitest';
import { type FailedTry, nextTry, retryPolicy as policy } from './retry-schedule.ts';

const nowMs = Date.parse('2026-03-01T10:00:00Z');

function failed(retry: Retry, facts: Partial<FailedTry> = {}): FailedTry {
  const failure = { code: 'Any', detail: '', retry, isCertain: true };
  return { failure, attempts: 1, ageMs: 0, previousWaitMs: null, nowMs, ...facts };
}

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('never is never, whatever is left of tries', () => {
  expect(nextTry(failed({ kind: 'never' }), policy, () => 0)).toEqual({ kind: 'never' });
});

test('tries and time are used up by name', () => {
  const later = { kind: 'later' } as const;
  const tried = nextTry(failed(later, { attempts: policy.maxAttempts }), policy, () => 0);
  expect(tried).toEqual({ kind: 'used-up', reason: 'TriesUsedUp' });
  const aged = nextTry(failed(later, { ageMs: policy.maxTotalMs }), policy, () => 0);
  expect(aged).toEqual({ kind: 'used-up', reason: 'TimeUsedUp' });
});

test('advice that names an instant is not overtaken', () => {
  const next = nextTry(failed({ kind: 'at', at: '2026-03-01T10:10:00Z' }), policy, () => 0);
  expect(next).toEqual({ kind: 'again', waitMs: 600_000 });
});

test.each<[string, Retry]>([
  ['a day', { kind: 'later', afterMs: 24 * 3_600_000 }],
  ['an absurd time', { kind: 'later', afterMs: 1e15 }],
  ['a moment tomorrow', { kind: 'at', at: '2026-03-02T10:00:00Z' }],
])('advice to wait for %s is the end, not a wait cut short', (_title, retry) => {
  expect(nextTry(failed(retry), policy, () => 0)).toEqual({ kind: 'used-up', reason: 'TimeUsedUp' });
});

test('advice to wait for longer than there is time left is the end; as long as we follow it, it is followed', () => {
  const longest = failed({ kind: 'later', afterMs: policy.maxAdviceMs });
  expect(nextTry(longest, policy, () => 0)).toEqual({ kind: 'again', waitMs: policy.maxAdviceMs });
  const old = { ...longest, ageMs: policy.maxTotalMs - policy.maxAdviceMs + 1 };
  expect(nextTry(old, policy, () => 0)).toEqual({ kind: 'used-up', reason: 'TimeUsedUp' });
});

test('advice that cannot be read is none', () => {
  const unread = nextTry(failed({ kind: 'at', at: 'soon' }), policy, () => 0);
  expect(unread).toEqual({ kind: 'again', waitMs: policy.baseMs });
});

property.prop([fc.array(random, { minLength: 1, maxLength: policy.maxAttempts - 1 })])(
  'without advice each wait lies between the base and three times the last, under the cap',
  (draws) => {
    let previousWaitMs: number | null = null;
    for (const [index, draw] of draws.entries()) {
      const next = nextTry(failed({ kind: 'later' }, { previousWaitMs, attempts: index + 1 }), policy, () => draw);
      expect(next.kind).toBe('again');
      if (next.kind !== 'again') return;
      expect(next.waitMs).toBeGreaterThanOrEqual(policy.baseMs);
      expect(next.waitMs).toBeLessThanOrEqual(Math.ceil(Math.min(policy.capMs, (previousWaitMs ?? policy.baseMs) * 3)));
      previousWaitMs = next.waitMs;
    }
  },
);

property.prop([fc.integer({ min: 0, max: 5 * 3_600_000 }), random])('advice is never undercut', (afterMs, draw) => {
  const next = nextTry(failed({ kind: 'later', afterMs }), policy, () => draw);
  expect(
    next.kind === 'again' && next.waitMs >= afterMs && next.waitMs <= Math.max(3_000, afterMs + policy.baseMs),
  ).toBe(true);
});
