import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { parseJson, parseJsonText } from './index.ts';
import { maxJsonDepth, maxJsonValues } from './json.ts';

fc.configureGlobal({ seed: 20_260_117, numRuns: 200 });

const bytes = (text: string) => new TextEncoder().encode(text);
const parsed = (text: string) => {
  const result = parseJsonText(text);
  if (!result.ok) throw new Error(result.refusal);
  return result.value;
};

describe('parseJson', () => {
  test('refuses what is nested too deep, without recursion', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(parseJsonText(deep)).toEqual({ ok: false, refusal: `JSON is nested deeper than ${maxJsonDepth}` });
    const objects = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    expect(parseJsonText(objects).ok).toBe(false);
  });

  test('takes what is exactly as deep as the limit, and no bracket inside a string counts', () => {
    expect(parseJsonText('['.repeat(maxJsonDepth) + ']'.repeat(maxJsonDepth)).ok).toBe(true);
    expect(parseJsonText('['.repeat(maxJsonDepth + 1) + ']'.repeat(maxJsonDepth + 1)).ok).toBe(false);
    expect(parsed(JSON.stringify('[{'.repeat(1_000)))).toBe('[{'.repeat(1_000));
    expect(parsed(JSON.stringify({ a: `\\"${'['.repeat(500)}` }))).toEqual({ a: `\\"${'['.repeat(500)}` });
  });

  test('refuses more values than the limit', () => {
    expect(parseJsonText(`[${'1,'.repeat(maxJsonValues)}1]`)).toEqual({
      ok: false,
      refusal: `JSON holds more than ${maxJsonValues} values`,
    });
  });

  test('keeps every digit of integers beyond 2^53, and numbers within it as numbers', () => {
    expect(
      parsed('{"id":12345678901234567890,"small":42,"negative":-9007199254740993,"real":1.2345678901234567}'),
    ).toEqual({
      id: '12345678901234567890',
      small: 42,
      negative: '-9007199254740993',
      real: 1.2345678901234567,
    });
  });

  test('replaces NUL and lone surrogates, keeps whole pairs', () => {
    expect(parsed('{"a":"x\\u0000y","b":"\\ud800","c":"\\ud83d\\ude00","k\\u0000":1}')).toEqual({
      a: 'x\uFFFDy',
      b: '\uFFFD',
      c: '😀',
      'k\uFFFD': 1,
    });
  });

  test('decodes invalid UTF-8 with replacement characters and drops a byte order mark', () => {
    const body = new Uint8Array([0xef, 0xbb, 0xbf, ...bytes('{"a":"'), 0xff, 0xc3, ...bytes('"}')]);
    expect(parseJson(body)).toEqual({ ok: true, value: { a: '\uFFFD\uFFFD' } });
  });

  test('leaves __proto__ out, however it is spelled, and pollutes nothing', () => {
    const value = parsed('{"__proto__":{"polluted":1},"a":{"\\u005f_proto__":{"polluted":1},"b":2}}');
    expect(JSON.stringify(value)).toBe('{"a":{"b":2}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('refuses bodies that are no JSON, in words that do not quote them', () => {
    expect(parseJsonText('')).toEqual({ ok: false, refusal: 'the body is empty' });
    for (const text of ['{', 'secret=1', '{"a":1}x', '<html>', 'undefined', '"\n"']) {
      expect(parseJsonText(text)).toEqual({ ok: false, refusal: 'the body is not JSON' });
    }
  });

  property.prop([fc.json()])('reads the same value as JSON.parse where there is nothing to clean', (text) => {
    fc.pre(!/\\u|__proto__|\d{16}/.test(text) && text.isWellFormed());
    expect(parsed(text)).toEqual(JSON.parse(text));
  });

  property.prop([fc.uint8Array({ maxLength: 200 })])('never throws on any bytes', (body) => {
    expect(parseJson(body)).toHaveProperty('ok');
  });
});
