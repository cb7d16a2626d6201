/** A stop that has its time: what hangs is left behind, and a loop that stood still is no reason to leave anything. */
import { expect, test } from 'vitest';
import type { Log } from '#kernel';
import { closeInTime, deadlineIn, endInTime, endsWithin } from '../../src/compose/deadline.ts';

const never = new Promise<never>(() => undefined);
const reject = (words: string) => Promise.reject(new Error(words));

function notes() {
  const said: string[] = [];
  const note = (facts: object, words: string) => void said.push(`${Object.values(facts).join(' ')}: ${words}`);
  return { said, log: { error: note, warn: note, info: note, debug: note } as unknown as Log };
}

test('waits for what ends in time, and names what hangs or does not end well', async () => {
  const { said, log } = notes();
  let isDone = false;
  const work = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    isDone = true;
  });
  await endInTime({ quick: work, hanging: never, broken: reject('torn'), absent: undefined }, 20, log);
  expect(isDone).toBe(true);
  expect(said).toEqual([
    'broken Error: torn: a part did not stop well',
    'hanging: a part did not stop in time; going on without it',
  ]);
});

test('a loop that stood still past the deadline still hears what ended meanwhile', async () => {
  const work = new Promise<void>((resolve) => setTimeout(() => setImmediate(() => setImmediate(resolve)), 30));
  const ended = endsWithin(work, 10);
  for (const until = performance.now() + 60; performance.now() < until; );
  expect(await ended).toBe(true);
});

test('closes one after the other, each with what is left of the time; without a deadline as long as it takes', async () => {
  const { said, log } = notes();
  const closed: string[] = [];
  const closer = (name: string) => [name, async () => void closed.push(name)] as const;
  const deadline = deadlineIn(20);
  await closeInTime([closer('one'), ['stuck', () => never], closer('two')], deadline, log);
  expect([closed, said.length, deadline.leftMs()]).toEqual([['one', 'two'], 1, 0]);
  await expect(closeInTime([['broken', () => reject('torn')]], undefined, log)).rejects.toThrow('torn');
});
