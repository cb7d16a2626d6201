import { describe, expect, it } from 'vitest';
import { createLanes } from './lanes.ts';
import { createPasswords, maxPasswordBytes } from './passwords.ts';
import { parsePhc } from './phc.ts';
import { hashToken, isSameSecret, newToken } from './tokens.ts';

const passwords = createPasswords();

async function hashed(password: string): Promise<string> {
  const result = await passwords.hash(password);
  if (!result.ok) throw new Error(result.refusal);
  return result.value;
}

describe('passwords', () => {
  it('match what was hashed and nothing else', async () => {
    const stored = await hashed('correct horse');
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await passwords.verify('correct horse', stored)).toEqual({ kind: 'match', shouldRehash: false });
    expect(await passwords.verify('correct horsf', stored)).toEqual({ kind: 'mismatch' });
    expect(await passwords.verify('', stored)).toEqual({ kind: 'mismatch' });
  });

  it('are salted', async () => {
    expect(await hashed('same')).not.toBe(await hashed('same'));
  });

  it('match however the letters were composed', async () => {
    expect(await passwords.verify('cafe\u0301', await hashed('caf\u00e9'))).toMatchObject({ kind: 'match' });
  });

  it('agree with the vector of the reference implementation', async () => {
    // phc-winner-argon2, test.c: argon2id, v=19, t=2, m=2^16, p=1, "password", "somesalt".
    const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    expect(await passwords.verify('password', stored)).toEqual({ kind: 'match', shouldRehash: false });
  });

  it('ask for a new hash where the stored one is weaker than today', async () => {
    // The same source: t=2, m=2^8, p=1.
    const stored = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
    expect(await passwords.verify('password', stored)).toEqual({ kind: 'match', shouldRehash: true });
  });

  it('may be 1,024 bytes long and no longer', async () => {
    expect(await passwords.hash('é'.repeat(maxPasswordBytes / 2))).toMatchObject({ ok: true });
    const tooLong = `${'é'.repeat(maxPasswordBytes / 2)}a`;
    expect(await passwords.hash(tooLong)).toEqual({ ok: false, refusal: 'too_long' });
    expect(await passwords.verify(tooLong, null)).toEqual({ kind: 'mismatch' });
  });

  it('of nobody are a mismatch', async () => {
    expect(await passwords.verify('anything', null)).toEqual({ kind: 'mismatch' });
  });

  it.each([
    ['bcrypt', '$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'],
    ['argon2i', '$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'],
    ['too dear', '$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'],
    ['empty', ''],
  ])('stored in a form that we do not know are unreadable: %s', async (_form, stored) => {
    expect(parsePhc(stored)).toBeNull();
    expect(await passwords.verify('password', stored)).toEqual({ kind: 'unreadable' });
  });

  it('wait in a bounded queue and are refused beyond it', async () => {
    const narrow = createPasswords({ concurrency: 1, maxWaiting: 1 });
    const verdicts = await Promise.all([1, 2, 3].map(() => narrow.verify('anything', null)));
    expect(verdicts.map(({ kind }) => kind)).toEqual(['mismatch', 'mismatch', 'busy']);
  });
});

describe('lanes', () => {
  it('let in so many at once, in turn, and go on after a failure', async () => {
    const lanes = createLanes(2, 10);
    const order: number[] = [];
    let inside = 0;
    let most = 0;
    const work = (n: number) =>
      lanes.run(async () => {
        order.push(n);
        inside += 1;
        most = Math.max(most, inside);
        await Promise.resolve();
        inside -= 1;
        if (n === 1) throw new Error('one fails');
      });
    const outcomes = await Promise.allSettled([0, 1, 2, 3, 4, 5].map(work));
    expect(outcomes.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });
});

describe('tokens', () => {
  it('are 43 characters of base64url, never alike', () => {
    const tokens = Array.from({ length: 100 }, () => newToken());
    expect(new Set(tokens).size).toBe(100);
    for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('are looked up by their SHA-256', () => {
    // FIPS 180-4, the example of one block.
    expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('are compared whole', () => {
    expect(isSameSecret('abc', 'abc')).toBe(true);
    expect(isSameSecret('abc', 'abcd')).toBe(false);
    expect(isSameSecret('', 'a')).toBe(false);
  });
});
