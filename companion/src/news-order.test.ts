import { expect, test } from 'vitest';
import { NewsOrder } from './news-order.ts';

/** What was told, and a file for each chat that comes when it is let. */
function stage() {
  const told: unknown[] = [];
  const order = new NewsOrder((_event, payload) => told.push(payload));
  const take = (chat: string | null, payload: string, whole?: Promise<unknown>) =>
    order.take({ event: 'messages.upsert', chat, payload, ...(whole ? { whole } : {}) });
  return { told, order, take };
}

test('what comes after a file in its chat waits for it, and other chats do not', async () => {
  const { told, order, take } = stage();
  const photo = Promise.withResolvers<unknown>();
  take('ana', 'photo', photo.promise);
  take('ana', 'text');
  take('ben', 'hello');
  take(null, 'receipt');
  expect(told).toEqual(['hello', 'receipt']);
  photo.resolve('photo with bytes');
  await order.settle(60_000);
  expect(told).toEqual(['hello', 'receipt', 'photo with bytes', 'text']);
  take('ana', 'later');
  expect(told.at(-1)).toBe('later');
});

test('of two files the second does not overtake the first', async () => {
  const { told, order, take } = stage();
  const first = Promise.withResolvers<unknown>();
  take('ana', 'first', first.promise);
  take('ana', 'second', Promise.resolve('second, whole'));
  setImmediate(() => first.resolve('first, whole'));
  await order.settle(60_000);
  expect(told).toEqual(['first, whole', 'second, whole']);
});

test('a file that fails, or that does not come in time, leaves its message without it', async () => {
  const { told, order, take } = stage();
  take('ana', 'failed', Promise.reject(new Error('gone')));
  take('ben', 'hanging', new Promise(() => undefined));
  take('ben', 'text');
  await order.settle(20);
  expect(told).toEqual(['failed', 'hanging', 'text']);
  take('ben', 'afterwards', new Promise(() => undefined));
  expect(told.at(-1)).toBe('afterwards');
});
