import { expect, test } from 'vitest';
import { isAnySecret, isSameSecret } from './index.ts';

test('equal texts are equal, of whatever length the other is', () => {
  expect(isSameSecret('abc', 'abc')).toBe(true);
  expect(isSameSecret('abc', 'abcd')).toBe(false);
  expect(isSameSecret('', 'abc')).toBe(false);
});

test('an empty secret lets nobody in', () => {
  expect(isSameSecret('', '')).toBe(false);
  expect(isAnySecret('', ['', ''])).toBe(false);
  expect(isAnySecret('', [])).toBe(false);
});

test('any one of the list is enough', () => {
  expect(isAnySecret('new', ['old', 'new'])).toBe(true);
  expect(isAnySecret('old', ['old', 'new'])).toBe(true);
  expect(isAnySecret('none', ['old', 'new'])).toBe(false);
});
