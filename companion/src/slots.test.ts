import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

const never = new AbortController().signal;

test('lets in no more than so many, and no more of one owner; who is let in first is who waited first', async () => {
  const slots = new Slots(3, 2);
  const inside: string[] = [];
  const take = async (owner: string, name: string) => {
    const leave = await slots.take(owner, never);
    inside.push(name);
    return leave;
  };
  const [first] = [await take('ana', 'a1'), await take('ana', 'a2')];
  const third = take('ana', 'a3');
  await take('ben', 'b1');
  const fourth = take('ben', 'b2');
  await new Promise(setImmediate);
  expect(inside).toEqual(['a1', 'a2', 'b1']);
  first();
  await (await third)();
  await fourth;
  expect(inside).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
});

test('who gives up waiting takes no room', async () => {
  const slots = new Slots(1, 1);
  const leave = await slots.take('ana', never);
  const hasty = new AbortController();
  const given = slots.take('ben', hasty.signal);
  hasty.abort(new Error('too late'));
  await expect(given).rejects.toThrow('too late');
  leave();
  await slots.take('ben', never);
});
