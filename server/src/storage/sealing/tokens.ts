/** Tokens of 256 random bits and their hashes. At this strength a fast hash is enough, and look-ups go by it. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 32 random bytes as base64url: 43 characters. */
export function newToken(random: (bytes: number) => Buffer = randomBytes): string {
  return random(32).toString('base64url');
}

/** SHA-256 of the token's UTF-8, as 64 hex digits: what is stored and looked up. */
export function hashToken(token: string): string {
  return sha256Hex(token);
}

export function sha256(value: string | Uint8Array): Buffer {
  return createHash('sha256').update(value).digest();
}

export function sha256Hex(value: string | Uint8Array): string {
  return createHash('sha256').update(value).digest('hex');
}

/** Whether two secrets are alike, in a time that tells neither their content nor their length. */
export function isSameSecret(one: string | Uint8Array, other: string | Uint8Array): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}
