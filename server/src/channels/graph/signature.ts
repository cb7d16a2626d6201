import { timingSafeEqual } from 'node:crypto';
import type { RawRequest, Verification, VerifySecrets } from '../channel.ts';
import { hmacSha256Hex } from './hmac.ts';

/** `sha256=` and 64 lower-case hex digits: Meta writes nothing else, so an older scheme or another spelling is refused. */
const signatureShape = /^sha256=[0-9a-f]{64}$/;
const hexStart = 'sha256='.length;
const hexLength = 64;

export function hasGraphSignature(headers: RawRequest['headers']): boolean {
  return signatureShape.test(headers['x-hub-signature-256'] ?? '');
}

/** Room for the two hex texts that are compared: filled and read in one go, so that no request makes its own. */
const given = Buffer.alloc(hexLength);
const expected = Buffer.alloc(hexLength);

/**
 * Meta's signature: HMAC-SHA256 of the raw body under the app secret (Meta, "Graph API webhooks: getting started"). The
 * bytes as they came are what is signed: a body written with `\u00e4` or `\/` no longer verifies once it is parsed and
 * written again. Every secret is tried, whether or not one has matched, each compared in constant time. Never throws.
 */
export function verifyGraphSignature(request: RawRequest, secrets: VerifySecrets): Verification {
  // An empty key is a key that everybody knows.
  if (!secrets.signing.some(isKey)) return refused('no app secret to check the signature with');
  const header = request.headers['x-hub-signature-256'];
  if (header === undefined) return refused('the signature is missing');
  if (!signatureShape.test(header)) return refused('the signature is malformed');
  given.write(header.slice(hexStart), 'latin1');
  let matches = 0;
  for (const key of secrets.signing) {
    if (!isKey(key)) continue;
    expected.write(hmacSha256Hex(key, request.body), 'latin1');
    matches += Number(timingSafeEqual(given, expected));
  }
  return matches > 0 ? verified : refused('the signature is wrong');
}

const verified: Verification = { kind: 'verified', isAuthenticated: true };

function isKey(secret: string): boolean {
  return secret !== '';
}

function refused(reason: string): Verification {
  return { kind: 'refused', reason };
}
