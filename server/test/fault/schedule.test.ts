/** When which blow falls: each kind before any comes again, each under load, and load after each. */
import { expect, test } from 'vitest';
import { planFor } from '../../../tools/fault/runs/providers.ts';
import { boundsOf, schedule } from '../../../tools/fault/runs/schedule.ts';
import { seeded } from '../../../tools/fault/seeded.ts';

const blows = ['kill', 'freeze', 'flush', 'disk-full'] as const;
const planOf = (webhooks: number, kills: number, seed = 1) =>
  schedule({ webhooks, kills, blows, faults: [] }, seeded(seed));

test('deals every blow once before any comes again, in an order of the seed’s', () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 20; seed += 1) {
    const dealt = planOf(1_000, 10, seed).map(({ blow }) => blow);
    for (const round of [dealt.slice(0, 4), dealt.slice(4, 8)]) expect(round.toSorted()).toEqual(blows.toSorted());
    expect(dealt).toHaveLength(10);
    expect(planOf(1_000, 10, seed).map(({ blow }) => blow)).toEqual(dealt);
    orders.add(dealt.join());
  }
  expect(orders.size).toBeGreaterThan(10);
  expect(planOf(1_000, 0)).toEqual([]);
});

test('falls on each target before it falls on one of them in another way', () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const dealt = schedule(
      { webhooks: 1_000, kills: 9, faults: [], blows: ['a kill', 'a freeze', 'a end', 'b kill', 'b flush', 'c kill'] },
      seeded(seed),
    ).map(({ blow }) => blow);
    expect(new Set(dealt.slice(0, 6)).size).toBe(6);
    for (const start of [0, 6]) expect(new Set(dealt.slice(start, start + 3).map((blow) => blow[0])).size).toBe(3);
  }
});

test.each([
  [1, 1, 1],
  [2, 2, 1],
  [10, 1, 1.6],
  [10, 10, 1],
  [50, 1, 8.3],
  [500, 5, 16.6],
  [6_000, 8, 300],
  [20_000, 15, 220],
  [1_000_000, 500, 250],
])('with %d webhooks and %d blows the load is under way before, during and after each', (webhooks, kills, rate) => {
  for (let seed = 0; seed < 20; seed += 1) {
    const marks = planOf(webhooks, kills, seed).map(({ atAcked }) => atAcked);
    const bounds = boundsOf(marks, webhooks, rate);
    const isSound = ({ before, during }: (typeof bounds)[number], index: number) => {
      const mark = marks[index]!;
      const next = marks[index + 1] ?? webhooks;
      // The mark is reached, and the load is not over before the blow has been dealt; nor does it go on to the next mark.
      const isOrdered = before >= mark && before < webhooks && during >= before && during <= next;
      return isOrdered && (next - mark < 2 || (before > mark && during < next));
    };
    expect(bounds.filter((one, index) => !isSound(one, index))).toEqual([]);
  }
});

test.each([
  [2_000, 18, 6],
  [100, 18, 2],
  [20, 18, 1],
  [5, 5, 1],
])('of %d sends %d faults of the provider strike %d times each', (webhooks, faults, timesEach) => {
  const plan = planFor(webhooks, seeded(1));
  expect({ faults: new Set(plan.faults).size, timesEach: plan.timesEach }).toEqual({ faults, timesEach });
});
