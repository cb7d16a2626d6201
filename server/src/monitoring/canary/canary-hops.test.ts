import type { AccountId, DeliveryId } from '@switchyard/contract';
import { describe, expect, it } from 'vitest';
import type { DeliveryTrace, TracedEvent, TracedOutbound } from '#inbox';
import { type CanaryRun, outcomeOf, stoppedAt } from './canary-hops.ts';

const startedAt = new Date('2026-03-01T10:00:00Z');
const after = (ms: number) => new Date(startedAt.getTime() + ms);
const run = (facts: Partial<CanaryRun> = {}): CanaryRun => ({
  ...{ id: 'd' as DeliveryId, accountId: 'a' as AccountId, startedAt, error: null },
  ...{ routedMs: 1, verifiedMs: 2, storedMs: 9 },
  ...facts,
});
const event = (facts: Partial<TracedEvent>) =>
  ({
    state: 'handled',
    settledAt: after(70),
    outbound: [{ state: 'held' } as TracedOutbound],
    ...facts,
  }) as TracedEvent;
const trace = (facts: Partial<DeliveryTrace>) =>
  ({ normalisedAt: after(30), error: null, events: [event({})], ...facts }) as DeliveryTrace;

describe('a canary', () => {
  it.each([
    ['that was handled has passed', run(), trace({}), 100, 'passed', null],
    ['that nobody answers has passed too', run(), trace({ events: [event({ outbound: [] })] }), 100, 'passed', null],
    ['that has only just started runs', run(), trace({ normalisedAt: null, events: [] }), 100, 'running', 'normalised'],
    [
      'that is not read after a minute is late',
      run(),
      trace({ normalisedAt: null, events: [] }),
      60_001,
      'late',
      'normalised',
    ],
    [
      'that is not handled after a minute is late',
      run(),
      trace({ events: [event({ state: 'pending', settledAt: null })] }),
      60_001,
      'late',
      'handled',
    ],
    [
      'that was handled slowly is late',
      run(),
      trace({ events: [event({ settledAt: after(10_001) })] }),
      20_000,
      'late',
      null,
    ],
    [
      'that could not be stored has failed',
      run({ storedMs: null, error: 'no database' }),
      null,
      100,
      'failed',
      'stored',
    ],
    [
      'whose delivery is dead has failed',
      run(),
      trace({ error: 'unreadable: x', events: [] }),
      100,
      'failed',
      'handled',
    ],
    [
      'whose reply was not held has failed',
      run(),
      trace({ events: [event({ outbound: [{ state: 'sent' } as TracedOutbound] })] }),
      100,
      'failed',
      null,
    ],
  ] as const)('%s', (_name, of, seen, now, state, hop) => {
    const outcome = outcomeOf(of, seen, after(now));
    expect({ state: outcome.state, hop: stoppedAt(outcome) }).toEqual({ state, hop });
  });

  it('tells the time of each hop, and never one before its neighbour when clocks differ', () => {
    const { hops, totalMs } = outcomeOf(run(), trace({ normalisedAt: after(-400) }), after(100));
    expect(Object.fromEntries(hops.map(({ name, ms }) => [name, ms]))).toEqual({
      ...{ routed: 1, verified: 2, stored: 9, normalised: 9, handled: 70, answered: 70 },
    });
    expect(totalMs).toBe(70);
  });
});
