import { randomBytes } from 'node:crypto';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { SealedPlace } from '../sealing.ts';
import { parseKeyring } from './keyring.ts';
import { createSealer, reseal, SealBroken } from './sealer.ts';

const oldKey = `old:${randomBytes(32).toString('base64url')}`;
const newKey = `new:${randomBytes(32).toString('base64url')}`;
const before = createSealer(parseKeyring(oldKey));
const during = createSealer(parseKeyring(`${newKey},${oldKey}`));
const after = createSealer(parseKeyring(newKey));

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/);
const place = fc.record({ table: word, column: word, row: fc.string({ maxLength: 60 }) });
const plain = fc.uint8Array({ maxLength: 3_000 });
const here: SealedPlace = { table: 'accounts', column: 'access_token', row: '0198c0de' };

function brokenBy(work: () => unknown): SealBroken {
  try {
    work();
  } catch (error) {
    if (error instanceof SealBroken) return error;
    throw error;
  }
  throw new Error('it opened');
}

describe('sealer', () => {
  test.prop([plain, place])('opens what it sealed, byte for byte', (bytes, where) => {
    expect(before.open(before.seal(bytes, where), where)).toEqual(Buffer.from(bytes));
  });

  test.prop([fc.string({ unit: 'grapheme' }), place])('opens text as text', (text, where) => {
    expect(before.openText(before.seal(text, where), where)).toBe(text);
  });

  test.prop([plain, place, place])('opens at no other place', (bytes, where, elsewhere) => {
    fc.pre(JSON.stringify(where) !== JSON.stringify(elsewhere));
    const sealed = before.seal(bytes, where);
    expect(brokenBy(() => before.open(sealed, elsewhere)).code).toBe('not_authentic');
  });

  test.prop([plain, fc.nat(), fc.nat({ max: 7 })])('opens with no bit changed, wherever it is', (bytes, at, bit) => {
    const sealed = before.seal(bytes, here);
    const index = at % sealed.length;
    sealed[index] = sealed[index]! ^ (1 << bit);
    expect(brokenBy(() => before.open(sealed, here))).toBeInstanceOf(SealBroken);
  });

  test.prop([plain, fc.nat()])('opens nothing that is cut short', (bytes, at) => {
    const sealed = before.seal(bytes, here);
    const cut = sealed.subarray(0, at % sealed.length);
    expect(brokenBy(() => before.open(cut, here))).toBeInstanceOf(SealBroken);
  });

  test.prop([fc.uint8Array({ maxLength: 200 })])('opens nothing that it has not made', (bytes) => {
    expect(brokenBy(() => before.open(bytes, here))).toBeInstanceOf(SealBroken);
  });

  it('never seals alike twice', () => {
    expect(before.seal('secret', here)).not.toEqual(before.seal('secret', here));
  });

  it('opens with an old key of the ring and seals with the first', () => {
    const sealed = before.seal('secret', here);
    expect(during.openText(sealed, here)).toBe('secret');
    expect(during.keyIdOf(sealed)).toBe('old');
    expect(during.keyIdOf(during.seal('secret', here))).toBe('new');
    expect(during.currentKeyId).toBe('new');
  });

  it('names the unknown key and the place, and neither key nor value', () => {
    const sealed = before.seal('very secret', here);
    const broken = brokenBy(() => after.open(sealed, here));
    expect(broken.code).toBe('unknown_key');
    expect(broken.message).toContain('old');
    expect(broken.message).toContain('accounts.access_token.0198c0de');
    expect(broken.message).not.toContain('very secret');
    expect(broken.message).not.toContain(newKey.slice(4));
    expect(broken.message).not.toContain(sealed.toString('base64url').slice(20, 40));
  });

  it('reseals what an older key has sealed, and leaves the rest alone', () => {
    const resealed = reseal(during, before.seal('secret', here), here)!;
    expect(after.openText(resealed, here)).toBe('secret');
    expect(reseal(during, resealed, here)).toBeNull();
  });

  it('knows a key by its id, not by its bytes', () => {
    const key = randomBytes(32).toString('base64url');
    const one = createSealer(parseKeyring(`a:${key}`));
    const other = createSealer(parseKeyring(`b:${key}`));
    expect(brokenBy(() => other.open(one.seal('secret', here), here)).code).toBe('unknown_key');
  });
});
