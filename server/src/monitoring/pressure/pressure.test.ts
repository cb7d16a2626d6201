import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  heldLanes,
  heldWork,
  laneTable,
  milderOf,
  noPressure,
  type Pressure,
  type PressureFacts,
  pressureOf,
  pressureSteps,
  refusesDeliveries,
  slowsReads,
  type WorkLane,
  whyRefused,
} from './pressure.ts';

const gibibyte = 1024 ** 3;
const calm: PressureFacts = {
  freeBytes: 100 * gibibyte,
  backlogAgeMs: 0,
  wideBacklogAgeMs: 0,
  statementMs: 1,
  loopDelayMs: 1,
};
const nothing: PressureFacts = {
  ...{ freeBytes: null, backlogAgeMs: null, wideBacklogAgeMs: null, statementMs: null, loopDelayMs: 0 },
};
const at = (step: Pressure['step']): Pressure => ({ step, facts: [], reasons: [] });

describe('the steps', () => {
  test.each<[Partial<PressureFacts>, string | null, readonly string[]]>([
    [{}, null, []],
    [nothing, null, []],
    [{ freeBytes: 3.9 * gibibyte }, 'migration-copy', []],
    [{ freeBytes: 1.9 * gibibyte }, 'campaign', ['campaign']],
    [{ freeBytes: 0.9 * gibibyte }, 'backlog', ['backlog', 'campaign']],
    [{ freeBytes: 0.4 * gibibyte }, 'reminder', ['reminder', 'backlog', 'campaign']],
    [{ freeBytes: 0.2 * gibibyte }, 'refuse', ['reminder', 'backlog', 'campaign']],
    [{ backlogAgeMs: 6_000 }, 'migration-copy', []],
    [{ backlogAgeMs: 16_000 }, 'campaign', ['campaign']],
    [{ backlogAgeMs: 7 * 86_400_000 }, 'reminder', ['reminder', 'backlog', 'campaign']],
    [{ wideBacklogAgeMs: 23 * 3_600_000 }, null, []],
    [{ wideBacklogAgeMs: 25 * 3_600_000 }, 'refuse', ['reminder', 'backlog', 'campaign']],
    [{ statementMs: 600 }, 'backlog', ['backlog', 'campaign']],
    [{ statementMs: 6_001 }, 'refuse', ['reminder', 'backlog', 'campaign']],
    [{ loopDelayMs: 51 }, 'campaign', ['campaign']],
    [{ loopDelayMs: 2_001 }, 'refuse', ['reminder', 'backlog', 'campaign']],
    [{ loopDelayMs: 60, statementMs: 600 }, 'backlog', ['backlog', 'campaign']],
  ])('%o: %s', (facts, step, held) => {
    const pressure = pressureOf({ ...calm, ...facts }, noPressure);
    expect(pressure.step).toBe(step);
    expect(heldLanes(pressure)).toEqual(held);
    expect(refusesDeliveries(pressure)).toBe(step === 'refuse');
    expect(whyRefused(pressure).length > 0).toBe(step === 'refuse');
  });

  it('names the facts that ask for it', () => {
    expect(pressureOf({ ...calm, loopDelayMs: 150.4, statementMs: 501 }, noPressure)).toMatchObject({
      facts: ['statementMs', 'loopDelayMs'],
      reasons: ['statementMs 501', 'loopDelayMs 150'],
    });
  });

  it('stays until the figure is a quarter better than the mark', () => {
    const taken = pressureOf({ ...calm, statementMs: 260 }, noPressure);
    expect(pressureOf({ ...calm, statementMs: 200 }, taken).step).toBe('campaign');
    expect(pressureOf({ ...calm, statementMs: 200 }, noPressure).step).toBe('migration-copy');
    expect(pressureOf({ ...calm, statementMs: 187 }, taken).step).toBe('migration-copy');
    expect(pressureOf({ ...calm, statementMs: 93 }, taken).step).toBeNull();
    const low = pressureOf({ ...calm, freeBytes: 1.9 * gibibyte }, noPressure);
    expect(pressureOf({ ...calm, freeBytes: 2.5 * gibibyte }, low).step).toBe('campaign');
    expect(pressureOf({ ...calm, freeBytes: 2.8 * gibibyte }, low).step).toBe('migration-copy');
    expect(pressureOf({ ...calm, freeBytes: 5.4 * gibibyte }, low).step).toBeNull();
  });
});

const served: readonly WorkLane[] = ['reply', 'receipt', 'reminder', 'backlog', 'campaign', 'migration-copy'];

it('holds the lowest lane first, one more with each step, and never what customers wait for', () => {
  expect(Object.keys(laneTable)).toEqual(served);
  const held = [null, ...pressureSteps].map((step) => heldWork(at(step)));
  expect(held).toEqual([[], served.slice(5), served.slice(4), served.slice(3), served.slice(2), served.slice(2)]);
});

it('slows reads of many rows after campaigns, and before anything is refused', () => {
  expect([null, ...pressureSteps].map((step) => slowsReads(at(step)))).toEqual([false, false, false, true, true, true]);
});

it('believes only what two looks in a row have seen', () => {
  const stalled = {
    ...calm,
    statementMs: 9_000,
    loopDelayMs: 9_000,
    freeBytes: 0,
    backlogAgeMs: 60_000,
    wideBacklogAgeMs: 9,
  };
  expect(milderOf(calm, stalled)).toEqual(calm);
  expect(milderOf(stalled, stalled)).toEqual(stalled);
  expect(milderOf(nothing, stalled)).toEqual(nothing);
});

const figure = (max: number) => fc.double({ min: 0, max, noNaN: true });
const facts = fc.record({
  freeBytes: fc.option(figure(4 * gibibyte)),
  backlogAgeMs: fc.option(figure(300_000)),
  wideBacklogAgeMs: fc.option(figure(120_000_000)),
  statementMs: fc.option(figure(10_000)),
  loopDelayMs: figure(10_000),
});
const before = fc.constantFrom(null, ...pressureSteps).map(at);

it('whatever is measured, holds no lane while a lower one goes on', () => {
  fc.assert(
    fc.property(facts, before, (seen, last) => {
      const held = heldWork(pressureOf(seen, last));
      expect(held).toEqual(served.slice(served.length - held.length));
    }),
  );
});

it('never eases because something got worse, and settles: the same facts twice give the same step', () => {
  const rank = (step: string | null) => pressureSteps.indexOf(step as never);
  fc.assert(
    fc.property(facts, before, (seen, last) => {
      const now = pressureOf(seen, last);
      const worse = { ...seen, loopDelayMs: seen.loopDelayMs * 2, freeBytes: seen.freeBytes && seen.freeBytes / 2 };
      expect(rank(pressureOf(worse, last).step)).toBeGreaterThanOrEqual(rank(now.step));
      expect(pressureOf(seen, now).step).toBe(now.step);
    }),
  );
});
