/** Codes for who has lost their authenticator: ten, each good once, 80 random bits, kept as hashes only. Pure. */
import { hashToken } from '#storage';
import { toBase32 } from './base32.ts';

export const recoveryCodes = { count: 10, bytes: 10 } as const;

/** `ABCD-EFGH-IJKL-MNOP`: without the pairs that look alike, base32 has no 0, 1, 8 or 9. */
export function newRecoveryCode(random: (bytes: number) => Uint8Array): string {
  const text = toBase32(random(recoveryCodes.bytes));
  return text.replace(/(.{4})(?=.)/g, '$1-');
}

/** However a person writes it: small letters, spaces, no dashes. */
export function hashRecoveryCode(code: string): string {
  return hashToken(code.toUpperCase().replace(/[^A-Z2-7]/g, ''));
}

export function isRecoveryCode(code: string): boolean {
  return /^[A-Z2-7]{16}$/.test(code.toUpperCase().replace(/[\s-]/g, ''));
}
