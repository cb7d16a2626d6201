import { expect, test } from 'vitest';
import { isEchoOf } from './echo-match.ts';

const image = (caption: string) => ({ type: 'image', media: { url: 'https://example.test/a.jpg' }, caption }) as const;
const menu = { type: 'buttons', text: 'Choose', buttons: [{ id: '1', title: 'One' }] } as const;

test('text is compared as it is seen', () => {
  expect(isEchoOf({ type: 'text', text: 'one\ntwo ' }, { type: 'text', text: 'one\r\ntwo' })).toBe(true);
  expect(isEchoOf({ type: 'text', text: 'one' }, { type: 'text', text: 'two' })).toBe(false);
});

test('buttons come back as their text', () => {
  expect(isEchoOf(menu, { type: 'text', text: 'Choose' })).toBe(true);
});

test('media is known by its type and caption', () => {
  expect(isEchoOf(image('a'), { ...image('a'), media: { id: '1' } })).toBe(true);
  expect(isEchoOf(image('a'), image('b'))).toBe(false);
  expect(isEchoOf(image('a'), { type: 'text', text: '[image] a' })).toBe(false);
});

test('a reaction is known by its target and sign', () => {
  const reaction = { type: 'reaction', targetId: 'm1', emoji: '👍' } as const;
  expect(isEchoOf(reaction, reaction)).toBe(true);
  expect(isEchoOf(reaction, { ...reaction, targetId: 'm2' })).toBe(false);
  expect(isEchoOf({ type: 'text', text: '👍' }, reaction)).toBe(false);
});
