/** Breakers and rates of several processes, over counters in memory that fail at times and a clock that is only told. */
import type { AccountId } from '@switchyard/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Clock, Log } from '#kernel';
import type { Counters } from '#storage';
import { judge, keep, simulate } from '../../../test/support/simulation.ts';
import { createAccountRate } from './account-rate.ts';
import { breakerPolicy } from './breaker.ts';
import { createBreakers } from './breakers.ts';

const account = 'account' as AccountId;
const silentLog = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Log;

/** What processes share: a clock and counters, as a schedule has them behave. */
function surroundings() {
  const windows = new Map<string, { total: number; endsAtMs: number }>();
  const world = { nowMs: 0, areCountersAway: false };
  const open = (key: string, windowMs: number) => {
    if (world.areCountersAway) throw new Error('the counters are away');
    const known = windows.get(key);
    if (known && known.endsAtMs > world.nowMs) return known;
    const fresh = { total: 0, endsAtMs: world.nowMs + windowMs };
    windows.set(key, fresh);
    return fresh;
  };
  const counters: Counters = {
    async add(key, amount, windowMs) {
      const window = open(key, windowMs);
      window.total += amount;
      return { total: window.total, remainingMs: window.endsAtMs - world.nowMs };
    },
    async claimOnce(key, windowMs) {
      const window = open(key, windowMs);
      window.total += 1;
      return window.total === 1;
    },
    async close() {},
  };
  const clock: Clock = { now: () => new Date(world.nowMs), elapsedMs: () => world.nowMs };
  return { world, counters, clock };
}

describe('breakers of several processes', () => {
  const processes = 3;
  const steps = fc.array(
    fc.record({
      process: fc.nat(processes - 1),
      waitMs: fc.constantFrom(0, 0, 1, 500, 5_000, 60_000),
      isProviderThere: fc.boolean(),
      random: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
    }),
    { minLength: 1, maxLength: 80, size: 'max' },
  );
  type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

  async function play(schedule: Steps, policy = breakerPolicy): Promise<void> {
    const { world, counters, clock } = surroundings();
    let random = 0;
    const deps = { counters, clock, random: () => random, log: silentLog, policy };
    const breakers = Array.from({ length: processes }, () => createBreakers(deps));
    const silent = Array.from({ length: processes }, () => 0);
    let lastProbeMs = Number.NEGATIVE_INFINITY;
    for (const step of schedule) {
      world.nowMs += step.waitMs;
      random = step.random;
      const breaker = breakers[step.process]!;
      const waitMs = await breaker.ask(account);
      keep(waitMs <= Math.max(policy.maxCoolDownMs, policy.probeMs), 'nobody waits longer than the longest cool-down');
      if (waitMs > 0) continue;
      if (silent[step.process]! >= breakerPolicy.threshold) {
        keep(world.nowMs - lastProbeMs >= breakerPolicy.probeMs, 'one probe at a time, in all processes together');
        lastProbeMs = world.nowMs;
      }
      breaker.note(account, step.isProviderThere ? 'refused' : 'unreachable');
      silent[step.process] = step.isProviderThere ? 0 : silent[step.process]! + 1;
    }
    await recovers(breakers, world);
  }

  /** The provider is back: every process lets messages through again, within the longest cool-down and a few probes. */
  async function recovers(breakers: readonly ReturnType<typeof createBreakers>[], world: { nowMs: number }) {
    for (const breaker of breakers) {
      let isOpen = true;
      for (let tries = 0; tries < 20 && isOpen; tries += 1) {
        const waitMs = await breaker.ask(account);
        world.nowMs += waitMs;
        if (waitMs === 0) breaker.note(account, 'sent');
        isOpen = waitMs > 0;
      }
      keep(!isOpen && (await breaker.ask(account)) === 0, 'a provider that answers again is used again');
    }
  }

  simulate('leave a silent provider alone but for one probe, and come back', 2_000, {
    schedules: steps,
    play: (s) => play(s),
  });

  test('a threshold that is not kept is caught', async () => {
    const hasty = { ...breakerPolicy, threshold: breakerPolicy.threshold + 3 };
    const found = await judge(
      { schedules: steps, play: (schedule) => play(schedule, hasty) },
      { seed: 3, runs: 2_000 },
    );
    expect(found).toMatchObject({ kind: 'broken', reason: expect.stringContaining('one probe at a time') });
  });
});

describe('the rate of an account', () => {
  const most = 10;
  const steps = fc.array(
    fc.record({
      process: fc.nat(2),
      count: fc.integer({ min: 1, max: 25 }),
      waitMs: fc.constantFrom(0, 0, 50, 300, 1_000),
      areCountersAway: fc.constantFrom(false, false, false, true),
      random: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
    }),
    { minLength: 1, maxLength: 40, size: 'max' },
  );
  type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

  /** `messagesPerSecond` of the account under trial; the promise is always that of `most`. */
  async function play(schedule: Steps, messagesPerSecond = most): Promise<void> {
    const { world, counters, clock } = surroundings();
    let random = 0;
    const rates = [0, 1, 2].map(() => createAccountRate({ counters, clock, random: () => random, log: silentLog }));
    const waiting: { process: number; dueMs: number }[] = [];
    const left: { atMs: number; isStrict: boolean; process: number }[] = [];
    const ask = async (process: number, count: number) => {
      const waits = await rates[process]!.take({ accountId: account, lanes: 'live', messagesPerSecond, count });
      for (const wait of waits) {
        keep(Number.isFinite(wait) && wait >= 0, 'a wait is a time');
        if (wait === 0) left.push({ atMs: world.nowMs, isStrict: world.areCountersAway, process });
        else waiting.push({ process, dueMs: world.nowMs + wait });
      }
    };
    for (const step of schedule) {
      world.nowMs += step.waitMs;
      world.areCountersAway = step.areCountersAway;
      random = step.random;
      await ask(step.process, step.count);
    }
    world.areCountersAway = false;
    await drain(world, waiting, ask);
    checkRates(left);
  }

  async function drain(
    world: { nowMs: number },
    waiting: { process: number; dueMs: number }[],
    ask: (process: number, count: number) => Promise<void>,
  ): Promise<void> {
    const total = waiting.length;
    for (let rounds = 0; waiting.length > 0; rounds += 1) {
      keep(rounds <= total + 2, 'every message leaves in the end: each window lets some go');
      const next = waiting.reduce((a, b) => (a.dueMs <= b.dueMs ? a : b));
      world.nowMs = Math.max(world.nowMs, next.dueMs);
      const due = waiting.filter(({ dueMs }) => dueMs <= world.nowMs);
      for (const one of due) waiting.splice(waiting.indexOf(one), 1);
      for (const [process, ready] of Map.groupBy(due, (one) => one.process)) await ask(process, ready.length);
    }
  }

  /** Windows begin with their first message, so any span shorter than one touches two of them at most. */
  function checkRates(left: readonly { atMs: number; isStrict: boolean; process: number }[]): void {
    const shared = left.filter(({ isStrict }) => !isStrict);
    for (const [process, own] of Map.groupBy(
      left.filter(({ isStrict }) => isStrict),
      (one) => one.process,
    ))
      checkSpan(own, Math.max(1, Math.floor(most / 2)), `process ${process} alone keeps to half`);
    checkSpan(shared, most, 'all processes together keep to the rate');
  }

  function checkSpan(left: readonly { atMs: number }[], limit: number, promise: string): void {
    for (const { atMs } of left) {
      const near = left.filter((one) => one.atMs >= atMs && one.atMs < atMs + 999).length;
      keep(near <= 2 * limit, promise);
    }
  }

  simulate('is kept by all processes together, and by each alone when counters are away', 400, {
    schedules: steps,
    play: (s) => play(s),
  });

  test('a rate three times too high is caught', async () => {
    const found = await judge(
      { schedules: steps, play: (schedule) => play(schedule, 3 * most) },
      { seed: 3, runs: 400 },
    );
    expect(found).toMatchObject({ kind: 'broken', reason: expect.stringContaining('keep') });
  });
});
