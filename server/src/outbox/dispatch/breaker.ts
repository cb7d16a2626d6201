/**
 * One account's breaker: a provider that does not answer is left alone for a while, so that one tenant's dead number
 * holds up nobody else and no queue of time-outs builds up.
 *
 * `closed`: messages pass; failures in a row are counted. `open`: none passes until the cool-down has ended. `probing`:
 * one message is on its way to try; when it is answered the breaker closes, when not it opens again for longer. A probe
 * that never reports (its process was killed elsewhere) stops counting when its time has ended. Any answer of the
 * provider, a refusal too, shows that it is there.
 */
export type BreakerState =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly untilMs: number; readonly openings: number }
  | { readonly kind: 'probing'; readonly untilMs: number; readonly openings: number };

export interface BreakerPolicy {
  readonly threshold: number;
  readonly coolDownMs: number;
  readonly maxCoolDownMs: number;
  readonly probeMs: number;
}

export const breakerPolicy: BreakerPolicy = {
  threshold: 5,
  coolDownMs: 5_000,
  maxCoolDownMs: 2 * 60_000,
  probeMs: 20_000,
};

export const closedBreaker: BreakerState = { kind: 'closed', failures: 0 };

export type BreakerAnswer =
  | { readonly kind: 'pass' }
  | { readonly kind: 'probe' }
  | { readonly kind: 'wait'; readonly waitMs: number };

export function askBreaker(state: BreakerState, nowMs: number): BreakerAnswer {
  if (state.kind === 'closed') return { kind: 'pass' };
  if (nowMs >= state.untilMs) return { kind: 'probe' };
  return { kind: 'wait', waitMs: state.untilMs - nowMs };
}

export function startProbe(state: BreakerState, nowMs: number, policy: BreakerPolicy): BreakerState {
  if (state.kind === 'closed') return state;
  return { kind: 'probing', untilMs: nowMs + policy.probeMs, openings: state.openings };
}

export function noteAnswered(): BreakerState {
  return closedBreaker;
}

/** `unreachable` or `uncertain`: no answer. */
export function noteSilent(state: BreakerState, nowMs: number, policy: BreakerPolicy, random: number): BreakerState {
  if (state.kind === 'open') return state;
  if (state.kind === 'probing') return opened(state.openings + 1, nowMs, policy, random);
  const failures = state.failures + 1;
  return failures < policy.threshold ? { kind: 'closed', failures } : opened(1, nowMs, policy, random);
}

/** Between half and the whole of a cool-down that doubles: processes do not come back together. */
function opened(openings: number, nowMs: number, policy: BreakerPolicy, random: number): BreakerState {
  const longest = Math.min(policy.maxCoolDownMs, policy.coolDownMs * 2 ** (openings - 1));
  return { kind: 'open', openings, untilMs: nowMs + longest * (0.5 + random / 2) };
}
