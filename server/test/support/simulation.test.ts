import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drawOf, judge, keep } from './simulation.ts';

const sums = {
  schedules: fc.array(fc.nat(100), { size: 'max', maxLength: 40 }),
  play: (list: readonly number[]) => keep(list.reduce((a, b) => a + b, 0) < 500, 'the sum stays under 500'),
};

test('a broken promise is told with its seed, shrunk, and comes back from it alone', async () => {
  const found = await judge(sums, { seed: 11, runs: 500 });
  if (found.kind === 'kept') throw new Error('nothing was found');
  expect(found.reason).toBe('broken: the sum stays under 500');
  const draw = drawOf({ SIMULATION: found.replay.replace('SIMULATION=', '') }, 500);
  expect(draw).toEqual({ seed: 11, path: found.path, runs: 500 });
  expect(await judge(sums, draw)).toEqual(found);
});

test('the environment chooses seed, path and how many; nonsense is refused', () => {
  expect(drawOf({}, 10)).toEqual({ seed: 20_261_121, runs: 10 });
  expect(drawOf({ SIMULATION: '-3' }, 10)).toEqual({ seed: -3, runs: 10 });
  expect(drawOf({ SIMULATION_RUNS: '99' }, 10)).toMatchObject({ runs: 99 });
  expect(() => drawOf({ SIMULATION: 'yesterday' }, 10)).toThrow(/SIMULATION=yesterday/);
});
