import { describe, expect, test } from 'vitest';
import { type Clock, newId, silentLog } from '#kernel';
import type { Counters } from '#storage';
import { createAccountRate, spread } from './account-rate.ts';

const window = { remainingMs: 400, most: 10, windowMs: 1_000 };

test('the first ones go, the rest waits for the window in which there is room', () => {
  const waits = spread({ ...window, total: 25, count: 25 }, () => 0);
  expect(waits.filter((wait) => wait === 0)).toHaveLength(10);
  expect(waits.filter((wait) => wait === 400)).toHaveLength(10);
  expect(waits.filter((wait) => wait === 1_400)).toHaveLength(5);
});

test('what others have taken of the window counts', () => {
  expect(spread({ ...window, total: 12, count: 3 }, () => 0)).toEqual([0, 400, 400]);
});

test('waits differ by a little, so that what was deferred together does not come together', () => {
  expect(spread({ ...window, total: 11, count: 1 }, () => 0.5)).toEqual([450]);
});

describe('a rate below one a second', () => {
  const world = { nowMs: 0, areCountersAway: false };
  const clock: Clock = { now: () => new Date(world.nowMs), elapsedMs: () => world.nowMs };
  const accountId = newId('account');

  /** One process, with counters in memory that may be away. */
  function openRate() {
    let window = { total: 0, endsAtMs: 0 };
    Object.assign(world, { nowMs: 0, areCountersAway: false });
    const counters: Counters = {
      async add(_key, amount, windowMs) {
        if (world.areCountersAway) throw new Error('the counters are away');
        if (window.endsAtMs <= world.nowMs) window = { total: 0, endsAtMs: world.nowMs + windowMs };
        window.total += amount;
        return { total: window.total, remainingMs: window.endsAtMs - world.nowMs };
      },
      claimOnce: async () => true,
      close: async () => {},
    };
    return createAccountRate({ counters, clock, random: () => 0, log: silentLog });
  }

  test.each([
    ['live', 0.2, 3_500],
    ['bulk', 0.2, 5_167],
    ['live', 1, 0],
  ] as const)('of %s messages at %d a second the second one waits for its window', async (lanes, perSecond, waitMs) => {
    const rate = openRate();
    const take = () => rate.take({ accountId, lanes, messagesPerSecond: perSecond, count: 1 });
    expect(await take()).toEqual([0]);
    world.nowMs += 1_500;
    expect(await take()).toEqual([waitMs]);
  });

  test.each([
    [0.2, 8_500],
    [1, 500],
  ])('of %d a second a process that cannot ask the counters takes half', async (messagesPerSecond, waitMs) => {
    const rate = openRate();
    world.areCountersAway = true;
    const take = () => rate.take({ accountId, lanes: 'live', messagesPerSecond, count: 1 });
    expect(await take()).toEqual([0]);
    world.nowMs += 1_500;
    expect(await take()).toEqual([waitMs]);
  });
});
