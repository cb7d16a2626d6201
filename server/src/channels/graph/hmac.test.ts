import { createHmac } from 'node:crypto';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { hmacSha256Hex } from './hmac.ts';

const expected = (key: string, message: Uint8Array) => createHmac('sha256', key).update(message).digest('hex');

describe('hmacSha256Hex', () => {
  test.prop([fc.string({ unit: 'binary', maxLength: 200 }), fc.uint8Array({ maxLength: 4_000 })])(
    'is HMAC-SHA256 for every key and message',
    (key, message) => {
      expect(hmacSha256Hex(key, message)).toBe(expected(key, message));
    },
  );

  it.each([0, 1, 63, 64, 65, 65_535, 65_536, 65_537, 3_145_728])('is right for a message of %i bytes', (length) => {
    const message = Buffer.alloc(length, 'm');
    expect(hmacSha256Hex('a key', message)).toBe(expected('a key', message));
  });

  it('does not confuse keys, however many there are', () => {
    const message = Buffer.from('message');
    const keys = Array.from({ length: 1_500 }, (_, n) => `key ${n}`);
    for (const key of [...keys, ...keys]) expect(hmacSha256Hex(key, message)).toBe(expected(key, message));
  });
});
