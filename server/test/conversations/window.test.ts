import { describe, expect, it } from 'vitest';
import { freeEntryUntilOf, storableJson, storableText, windowAt } from '#conversations';

const at = (text: string) => new Date(`2026-03-${text}:00.000Z`);
const never = { lastInboundAt: null, freeEntryUntil: null };

describe('windowAt', () => {
  it.each([
    ['open just before its end', at('01T10:00'), null, 24, at('02T09:59'), { kind: 'open', until: at('02T10:00') }],
    ['closed at its end', at('01T10:00'), null, 24, at('02T10:00'), { kind: 'closed', since: at('02T10:00') }],
    [
      'held open by an advertisement',
      at('01T10:00'),
      at('04T10:00'),
      24,
      at('03T10:00'),
      { kind: 'open', until: at('04T10:00') },
    ],
    [
      'open by a later message than the advertisement',
      at('04T08:00'),
      at('04T10:00'),
      24,
      at('04T11:00'),
      { kind: 'open', until: at('05T08:00') },
    ],
    [
      'of another length on another channel',
      at('01T10:00'),
      null,
      168,
      at('07T10:00'),
      { kind: 'open', until: at('08T10:00') },
    ],
    ['always open where there is none', null, null, null, at('07T10:00'), { kind: 'open', until: null }],
  ] as const)('is %s', (_name, lastInboundAt, freeEntryUntil, hours, now, expected) => {
    expect(windowAt({ lastInboundAt, freeEntryUntil }, hours, now)).toEqual(expected);
  });

  it('was never open for somebody who never wrote', () => {
    expect(windowAt(never, 24, at('01T10:00'))).toEqual({ kind: 'closed', since: null });
  });
});

describe('freeEntryUntilOf', () => {
  it.each([
    ['an advertisement', { sourceType: 'ad' }, at('04T10:00')],
    ['a click id', { clickId: 'x' }, at('04T10:00')],
    ['a post', { sourceType: 'post' }, undefined],
    ['a link', { ref: 'qr-1' }, undefined],
    ['nothing', undefined, undefined],
  ])('of %s', (_name, referral, expected) => {
    expect(freeEntryUntilOf(referral, at('01T10:00'))).toEqual(expected);
  });
});

describe('what Postgres can hold', () => {
  it('replaces NUL and half pairs, in keys too, and nothing else', () => {
    expect(storableText('a\u0000b\ud800c😀')).toBe('a\ufffdb\ufffdc😀');
    expect(JSON.parse(storableJson({ 'k\u0000': ['\udc00', { deep: 'ok \\u0000' }], emoji: '😀' }))).toEqual({
      'k\ufffd': ['\ufffd', { deep: 'ok \\u0000' }],
      emoji: '😀',
    });
  });
});
