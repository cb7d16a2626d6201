import { expect, it } from 'vitest';
import { createTurnstile, passesInOneTurn } from '../../src/compose/serving/turnstile.ts';

/** Turns that come when they are told. */
function byHand() {
  let next: (() => void)[] = [];
  return {
    later: (work: () => void) => void next.push(work),
    turn: () => {
      const now = next;
      next = [];
      for (const work of now) work();
      return now.length;
    },
  };
}

it('lets a few pass in one turn, in the order of their coming, and the next in the next', () => {
  const { later, turn } = byHand();
  const pass = createTurnstile(later);
  const passed: number[] = [];
  for (let n = 0; n < 5; n += 1) pass(() => passed.push(n));
  expect(passed).toEqual([]);
  turn();
  expect(passed).toEqual([0, 1].slice(0, passesInOneTurn));
  turn();
  turn();
  expect(passed).toEqual([0, 1, 2, 3, 4]);
  while (turn() > 0);
  pass(() => passed.push(5));
  turn();
  expect(passed).toEqual([0, 1, 2, 3, 4, 5]);
});
