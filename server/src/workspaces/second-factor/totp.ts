/**
 * One-time codes by time: RFC 6238 over RFC 4226, SHA-1, 6 digits, 30 seconds, which is what every authenticator app
 * takes. The clock is an argument. Pure.
 */
import { createHmac } from 'node:crypto';
import { isSameSecret } from '#storage';
import { toBase32 } from './base32.ts';

export const totp = { stepMs: 30_000, digits: 6, secretBytes: 20, stepsAround: 1 } as const;

/** HOTP of RFC 4226: the code of a counter. */
export function codeOf(secret: Uint8Array, counter: bigint, digits: number = totp.digits): string {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(counter);
  const mac = createHmac('sha1', secret).update(message).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

export function stepAt(now: Date): bigint {
  return BigInt(Math.floor(now.getTime() / totp.stepMs));
}

/**
 * The step whose code this is: the present one, or one before or after it, for clocks that are off. null: none of them.
 * All are compared, so the time does not tell which. That a step is taken once is up to who stores the last one.
 */
export function findStep(secret: Uint8Array, code: string, now: Date): bigint | null {
  const present = stepAt(now);
  let found: bigint | null = null;
  for (let off = -totp.stepsAround; off <= totp.stepsAround; off += 1) {
    const step = present + BigInt(off);
    if (isSameSecret(codeOf(secret, step), code)) found ??= step;
  }
  return found;
}

/** What the QR code holds. */
export function provisioningUri(secret: Uint8Array, email: string): string {
  const label = `Switchyard:${encodeURIComponent(email)}`;
  return `otpauth://totp/${label}?secret=${toBase32(secret)}&issuer=Switchyard`;
}
