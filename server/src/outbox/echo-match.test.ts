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

const asked = { ...menu, text: 'Choose\nplease' } as const;
const list = {
  type: 'list',
  text: 'Choose\nplease',
  button: 'Menu',
  sections: [{ rows: [{ id: '1', title: 'One' }] }],
} as const;

test.each([
  ['with the first line bold and an empty one below, as Evolution sends it', asked, '*Choose*\n\nplease'],
  ['with its only line bold', menu, '*Choose*'],
  ['as title and description', list, 'Choose\nplease'],
  ['as numbered text', asked, 'Choose\nplease\n\n1. One'],
  ['as numbered text, for a list', list, 'Choose\nplease\n\n1. One'],
])('a menu comes back %s', (_name, sent, text) => {
  expect(isEchoOf(sent, { type: 'text', text })).toBe(true);
  expect(isEchoOf(sent, { type: 'text', text: `${text} now` })).toBe(false);
});

test('what a person types under a menu is theirs', () => {
  for (const text of ['please', 'Choose', '1. One', '']) expect(isEchoOf(asked, { type: 'text', text })).toBe(false);
});

test('a text is not taken for another that is bold', () => {
  expect(isEchoOf({ type: 'text', text: 'one' }, { type: 'text', text: '*one*' })).toBe(false);
});

test('a place is known by where it is, whatever its name has become', () => {
  const place = { type: 'location', latitude: 40.416_775, longitude: -3.703_79, address: 'Plaza Mayor' } as const;
  expect(isEchoOf(place, { ...place, name: 'Plaza Mayor', latitude: 40.416_78 })).toBe(true);
  expect(isEchoOf(place, { ...place, longitude: -3.704_79 })).toBe(false);
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
