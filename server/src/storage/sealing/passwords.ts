/**
 * Passwords by argon2id (RFC 9106), in Node itself. A hash takes 19 MiB and some 50 ms of a core, so fewer run at once than
 * there are cores, and only so many wait: a flood of log-ins must take neither the server's memory nor its event loop.
 */
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { done, type Result, refused } from '#kernel';
import { createLanes } from './lanes.ts';
import { type Argon2idCost, type Argon2idHash, parsePhc, printPhc } from './phc.ts';

export interface Passwords {
  /** The hash to store. `too_long`: over 1,024 bytes; `busy`: too many are waiting, try again in a second. */
  hash(password: string): Promise<Result<string, 'too_long' | 'busy'>>;
  /**
   * Compares in constant time. With null (no such person) it costs as much as with a hash and is a mismatch, so that
   * the time does not tell who has an account. `unreadable`: stored in a form that we do not know.
   */
  verify(password: string, stored: string | null): Promise<PasswordVerdict>;
}

export type PasswordVerdict =
  /** `shouldRehash`: the stored hash is weaker than today's cost; hash anew while the password is at hand. */
  { readonly kind: 'match'; readonly shouldRehash: boolean } | { readonly kind: 'mismatch' | 'busy' | 'unreadable' };

export interface PasswordOptions {
  /** Hashes that run at once. */
  readonly concurrency?: number;
  /** Hashes that wait; one more is refused. */
  readonly maxWaiting?: number;
}

export const maxPasswordBytes = 1_024;
/** Node's pool has four threads, which files and names are looked up by too; one core stays for the event loop. */
const threads = 4;
export const hashesAtOnce = Math.max(1, Math.min(availableParallelism(), threads) - 1);
export const maxWaitingHashes = 64;
/** OWASP's first choice of minimum. */
export const passwordCost: Argon2idCost = { memory: 19_456, passes: 2, parallelism: 1 };
const saltBytes = 16;
const tagBytes = 32;

export function createPasswords(options: PasswordOptions = {}): Passwords {
  const lanes = createLanes(options.concurrency ?? hashesAtOnce, options.maxWaiting ?? maxWaitingHashes);
  const nobody: Argon2idHash = { ...passwordCost, salt: randomBytes(saltBytes), tag: randomBytes(tagBytes) };

  return {
    async hash(password) {
      if (isTooLong(password)) return refused('too_long');
      const salt = randomBytes(saltBytes);
      const tag = await lanes.run(() => derive(password, { ...passwordCost, salt }, tagBytes));
      return tag === 'busy' ? refused('busy') : done(printPhc({ ...passwordCost, salt, tag }));
    },

    async verify(password, stored) {
      const expected = stored === null ? nobody : parsePhc(stored);
      if (!expected) return { kind: 'unreadable' };
      if (isTooLong(password)) return { kind: 'mismatch' };
      const tag = await lanes.run(() => derive(password, expected, expected.tag.length));
      if (tag === 'busy') return { kind: 'busy' };
      if (!timingSafeEqual(tag, expected.tag) || stored === null) return { kind: 'mismatch' };
      return { kind: 'match', shouldRehash: isWeaker(expected) };
    },
  };
}

/** The same letters typed on two systems may come composed or not; both are one password. */
function normalised(password: string): string {
  return password.normalize('NFC');
}

function isTooLong(password: string): boolean {
  return password.length > maxPasswordBytes || Buffer.byteLength(normalised(password)) > maxPasswordBytes;
}

function isWeaker(hash: Argon2idHash): boolean {
  return hash.memory < passwordCost.memory || hash.passes < passwordCost.passes || hash.tag.length < tagBytes;
}

function derive(password: string, by: Argon2idCost & { readonly salt: Buffer }, length: number): Promise<Buffer> {
  const { memory, passes, parallelism, salt } = by;
  const parameters: Argon2Parameters = {
    message: normalised(password),
    nonce: salt,
    parallelism,
    tagLength: length,
    memory,
    passes,
  };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => (error ? reject(error) : resolve(tag)));
  });
}
