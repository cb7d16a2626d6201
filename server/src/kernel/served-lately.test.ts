import { expect, it } from 'vitest';
import { ServedLately } from './served-lately.ts';

it('gives them in the order in which each was served last', () => {
  const served = new ServedLately<string>(10);
  served.note(['a', 'b', 'c'], []);
  served.note(['a', 'd', 'd'], ['c', 'b', 'a']);
  expect(served.inOrder).toEqual(['b', 'c', 'a', 'd']);
});

it('forgets who does not wait any more, whoever is given them in whatever order', () => {
  const served = new ServedLately<string>(10);
  served.note(['a', 'b', 'c', 'd'], []);
  served.note([], ['stranger', 'd', 'b']);
  expect(served.inOrder).toEqual(['b', 'd']);
  served.note(['e'], []);
  expect(served.inOrder).toEqual(['e']);
});

it('holds so many at most, and forgets who was served longest ago', () => {
  const served = new ServedLately<string>(2);
  served.note(['a', 'b'], []);
  served.note(['a', 'c'], ['a', 'b']);
  expect(served.inOrder).toEqual(['a', 'c']);
});
