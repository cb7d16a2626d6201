import { expect, test } from 'vitest';
import { once } from './once.ts';

test('does its work once, and again only where it failed', async () => {
  let calls = 0;
  const load = once(async () => {
    calls += 1;
    if (calls === 1) throw new Error('too many open files');
    return calls;
  });
  await expect(load()).rejects.toThrow('too many open files');
  expect(await Promise.all([load(), load()])).toEqual([2, 2]);
  expect(await load()).toBe(2);
});
