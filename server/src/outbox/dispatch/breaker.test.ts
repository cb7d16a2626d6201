import { expect, test } from 'vitest';
import {
  askBreaker,
  type BreakerState,
  closedBreaker,
  noteAnswered,
  noteSilent,
  breakerPolicy as policy,
  startProbe,
} from './breaker.ts';

function silent(state: BreakerState, times: number, nowMs = 0): BreakerState {
  let next = state;
  for (let time = 0; time < times; time += 1) next = noteSilent(next, nowMs, policy, 0);
  return next;
}

test('opens at the threshold of failures in a row, and not before', () => {
  expect(silent(closedBreaker, policy.threshold - 1).kind).toBe('closed');
  expect(silent(closedBreaker, policy.threshold).kind).toBe('open');
});

test('an answer, a refusal too, starts the count anew', () => {
  expect(noteAnswered()).toEqual({ kind: 'closed', failures: 0 });
});

test('open: all wait until the cool-down has ended, then one probes and the others wait for it', () => {
  const open = silent(closedBreaker, policy.threshold);
  const halfMs = policy.coolDownMs / 2;
  expect(askBreaker(open, 0)).toEqual({ kind: 'wait', waitMs: halfMs });
  expect(askBreaker(open, halfMs)).toEqual({ kind: 'probe' });
  const probing = startProbe(open, halfMs, policy);
  expect(askBreaker(probing, halfMs)).toEqual({ kind: 'wait', waitMs: policy.probeMs });
  expect(askBreaker(probing, halfMs + policy.probeMs)).toEqual({ kind: 'probe' });
});

test('a probe without an answer opens for twice as long, up to the longest', () => {
  let state = silent(closedBreaker, policy.threshold);
  for (let opening = 1; opening < 12; opening += 1)
    state = noteSilent(startProbe(state, 0, policy), 0, policy, 0.999_999);
  expect(state.kind === 'open' && state.openings).toBe(12);
  expect(state.kind === 'open' && Math.round(state.untilMs)).toBe(policy.maxCoolDownMs);
});

test('answers that are late while it is open do not lengthen the cool-down', () => {
  const open = silent(closedBreaker, policy.threshold);
  expect(silent(open, 10, 1_000)).toEqual(open);
});
