import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { KeyringUnreadable, keyText, parseKeyring } from './keyring.ts';

const key = Buffer.alloc(32, 7);
const text = key.toString('base64url');

describe('keyring', () => {
  it.each([
    ['base64url', text],
    ['base64', key.toString('base64')],
    ['hex', key.toString('hex')],
    ['with spaces round it', ` ${text}\n`],
  ])('takes a key standing alone as k1: %s', (_form, alone) => {
    expect(parseKeyring(alone)).toEqual({ currentKeyId: 'k1', masterKeys: new Map([['k1', key]]) });
  });

  it('takes several, the first of which seals', () => {
    const ring = parseKeyring(`b:${text}, a:${Buffer.alloc(32, 8).toString('hex')}`);
    expect(ring.currentKeyId).toBe('b');
    expect([...ring.masterKeys.keys()]).toEqual(['b', 'a']);
  });

  test.prop([fc.uint8Array({ minLength: 32, maxLength: 32 })])('reads back the text it makes', (bytes) => {
    const ring = parseKeyring(keyText(Buffer.from(bytes)));
    expect(ring.masterKeys.get(ring.currentKeyId)).toEqual(Buffer.from(bytes));
  });

  it.each([
    ['nothing', ''],
    ['a short key', 'k1:abcd'],
    ['31 bytes', Buffer.alloc(31, 1).toString('base64url')],
    ['33 bytes', Buffer.alloc(33, 1).toString('base64url')],
    ['a bad id', `a b:${text}`],
    ['an empty id', `:${text}`],
    ['an id twice', `a:${text},a:${text}`],
    ['two keys without ids', `${text},${text}`],
    ['a comma too many', `${text},`],
  ])('refuses %s with one line that holds no key', (_case, wrong) => {
    expect(() => parseKeyring(wrong)).toThrow(KeyringUnreadable);
    try {
      parseKeyring(wrong);
    } catch (error) {
      expect(String(error)).not.toContain('\n');
      expect(String(error)).not.toContain(text);
    }
  });
});
