import { describe, expect, test } from 'vitest';
import {
  arrayAt,
  fingerprint,
  flagAt,
  idAt,
  instantOf,
  itemsOf,
  type JsonValue,
  maxParts,
  numberAt,
  objectAt,
  type Part,
  pointerTo,
  present,
  readBody,
  readEach,
  readItems,
  textAt,
  Unreadable,
  valueAt,
} from './index.ts';

describe('readers', () => {
  const value = { a: { b: ['x', 7, null, ''] }, n: '12.5', yes: true, odd: 'true', none: null };

  test('follow own members only', () => {
    expect(valueAt(value, 'a', 'b', 0)).toBe('x');
    expect(valueAt(value, 'constructor')).toBeUndefined();
    expect(valueAt(value, 'a', 'b', 'length', 'x')).toBeUndefined();
    expect(valueAt('text', 'length')).toBeUndefined();
    expect(valueAt(value, 'none')).toBeUndefined();
  });

  test('give nothing for another type', () => {
    expect(objectAt(value, 'a', 'b')).toBeUndefined();
    expect(arrayAt(value, 'a')).toEqual([]);
    expect(textAt(value, 'a', 'b', 1)).toBeUndefined();
    expect(textAt(value, 'a', 'b', 3)).toBe('');
    expect(idAt(value, 'a', 'b', 1)).toBe('7');
    expect(idAt(value, 'a', 'b', 3)).toBeUndefined();
    expect(numberAt(value, 'n')).toBe(12.5);
    expect(numberAt(value, 'odd')).toBeUndefined();
    expect(flagAt(value, 'yes')).toBe(true);
    expect(flagAt(value, 'odd')).toBe(false);
  });
});

test.each([
  ['1749416383', '2025-06-08T20:59:43.000Z'],
  [1749416383, '2025-06-08T20:59:43.000Z'],
  [1569262485349, '2019-09-23T18:14:45.349Z'],
  ['1569262485349', '2019-09-23T18:14:45.349Z'],
  [1749416383.25, '2025-06-08T20:59:43.250Z'],
  ['2021-09-08T06:34:04+0000', '2021-09-08T06:34:04.000Z'],
  ['2021-09-08T08:34:04+02:00', '2021-09-08T06:34:04.000Z'],
  [999_999_999_999, null],
  [0, null],
  [-5, null],
  ['TIMESTAMP', null],
  ['2021-09-08', null],
  ['1e9', null],
  [Number.MAX_VALUE, null],
  [{}, null],
  [null, null],
  [undefined, null],
])('reads %j as the instant %j', (value, instant) => {
  expect(instantOf(value)).toBe(instant);
});

test('a fingerprint does not depend on the order of members, but on everything else', () => {
  expect(fingerprint({ a: 1, b: [1, { c: null }] })).toBe(fingerprint({ b: [1, { c: null }], a: 1 }));
  expect(fingerprint({ a: 1, b: [1, 2] })).not.toBe(fingerprint({ a: 1, b: [2, 1] }));
  expect(fingerprint({ a: '1' })).not.toBe(fingerprint({ a: 1 }));
  expect(fingerprint({ a: 1 })).toMatch(/^[0-9a-f]{64}$/);
});

test('present leaves out what is undefined and keeps null, false and empty', () => {
  expect(Object.keys(present({ a: undefined, b: null, c: false, d: '', e: 0 }))).toEqual(['b', 'c', 'd', 'e']);
});

test('a pointer escapes as RFC 6901 says', () => {
  expect(pointerTo('/entry', 'a/b~c')).toBe('/entry/a~1b~0c');
});

describe('readItems', () => {
  const body = { value: { list: [1, 2, 3], odd: {}, none: null }, path: '' };
  const event = (path: string) => ({
    kind: 'unsupported' as const,
    type: 't',
    key: path,
    occurredAt: null,
    bindings: [],
    path,
    reason: 'r',
  });

  test('makes a refused or failing item unreadable and keeps its neighbours', () => {
    const result = readItems(body, 'list', (item) => {
      if (item.value === 1) throw new Unreadable('no id');
      if (item.value === 2) throw new TypeError('secret words of the body');
      return [event(item.path)];
    });
    expect(result.events.map((one) => one.path)).toEqual(['/list/2']);
    expect(result.unreadable).toEqual([
      { path: '/list/0', reason: 'no id' },
      { path: '/list/1', reason: 'the reader failed on this part' },
    ]);
  });

  test('takes an absent list as empty and refuses what is no list', () => {
    expect(readItems(body, 'missing', () => [])).toEqual({ events: [], unreadable: [] });
    expect(readItems(body, 'none', () => [])).toEqual({ events: [], unreadable: [] });
    expect(readItems(body, 'odd', () => []).unreadable).toEqual([{ path: '/odd', reason: 'expected a list' }]);
  });
});

describe('readBody', () => {
  const bodyOf = (value: unknown) => Buffer.from(JSON.stringify(value));
  const refuse = () => {
    throw new Unreadable('no');
  };
  const readLists = (asked: { count: number }) => (whole: Part) =>
    readEach(itemsOf(whole.value as readonly JsonValue[], ''), (list) =>
      readEach(itemsOf(list.value as readonly JsonValue[], list.path), () => {
        asked.count += 1;
        return refuse();
      }),
    );

  test('reads as many parts as are allowed, each with its place', () => {
    const half = Array.from({ length: maxParts / 2 }, () => 0);
    const { unreadable } = readBody(bodyOf([half, half]), readLists({ count: 0 }));
    expect(unreadable).toHaveLength(maxParts);
    expect(unreadable.at(-1)).toEqual({ path: `/1/${maxParts / 2 - 1}`, reason: 'no' });
  });

  test('is unreadable as a whole beyond that, wherever they lie, and stops reading', () => {
    const half = Array.from({ length: maxParts / 2 }, () => 0);
    const asked = { count: 0 };
    const read = readBody(bodyOf(Array.from({ length: 20 }, () => half)), readLists(asked));
    expect(read.events).toEqual([]);
    expect(read.unreadable).toMatchObject([{ path: '', reason: expect.stringContaining('too many parts') }]);
    expect(asked.count).toBe(maxParts + maxParts / 2);
  });
});
