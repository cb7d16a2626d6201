import { createHmac } from 'node:crypto';
import { type JsonValue, numberAt, parseJsonText, textAt } from '../reading/index.ts';
import { isSameSecret } from '../secrets/index.ts';

/** How far the server's clock may be from ours. */
const clockSkewMs = 60_000;

/**
 * Is this a JSON Web Token of Evolution's webhook (HS256 under the `jwt_key` of its headers, ten minutes long) by one of
 * these keys, and not expired? One without an expiry would be good for ever and is refused, as is every other algorithm.
 */
export function isSignedToken(token: string, keys: readonly string[], nowMs: number): boolean {
  const parts = token.split('.');
  const [header, claims, signature] = parts;
  if (parts.length !== 3 || !header || !claims || !signature) return false;
  if (textAt(decode(header), 'alg') !== 'HS256') return false;
  const expiresSeconds = numberAt(decode(claims), 'exp');
  if (expiresSeconds === undefined || expiresSeconds * 1_000 + clockSkewMs < nowMs) return false;
  return keys.some((key) => key !== '' && isSameSecret(signature, signatureOf(key, `${header}.${claims}`)));
}

function signatureOf(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

function decode(part: string): JsonValue | undefined {
  const parsed = parseJsonText(Buffer.from(part, 'base64url').toString('utf8'));
  return parsed.ok ? parsed.value : undefined;
}
