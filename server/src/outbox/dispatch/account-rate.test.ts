import { expect, test } from 'vitest';
import { spread } from './account-rate.ts';

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
