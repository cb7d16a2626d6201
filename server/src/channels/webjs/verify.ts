/**
 * Two forms of one header, told apart by `X-Webhook-Hmac-Algorithm`.
 *
 * Ours (`sha256`): hex HMAC-SHA256 over `timestamp.nonce.` and the raw body, with `X-Webhook-Timestamp` in milliseconds
 * no more than 300 s away and `X-Webhook-Nonce`; the nonce goes back to the caller, who takes each only once.
 * WAHA's (`sha512`): hex HMAC-SHA512 over the raw body alone (WAHA documents, "Webhooks"). It carries a time but does
 * not sign it, so a replay is caught by the event's key and by nothing else.
 */
import { createHash, createHmac } from 'node:crypto';
import type { RawRequest, Verification, VerifySecrets } from '../channel.ts';
import { isSameSecret } from '../secrets/index.ts';

export const maxClockDifferenceMs = 300_000;

const nonceShape = /^[\w.~+/=:-]{8,128}$/;
const millisShape = /^\d{12,14}$/;

export function verifyWebjs(request: RawRequest, secrets: VerifySecrets, nowMs: number): Verification {
  const signature = request.headers['x-webhook-hmac'];
  if (!signature) return refused('the X-Webhook-Hmac header is missing');
  const held = secrets.signing.filter((secret) => secret !== '');
  if (held.length === 0) return refused('no shared key is held for this account');
  const algorithm = request.headers['x-webhook-hmac-algorithm']?.trim().toLowerCase() ?? algorithmOf(signature);
  if (algorithm === 'sha256') return verifyOurs(request, signature, { held, nowMs });
  if (algorithm === 'sha512') return verifyWaha(request, signature, held);
  return refused('the algorithm is neither sha256 nor sha512');
}

/** Older WAHA versions name no algorithm. */
function algorithmOf(signature: string): 'sha256' | 'sha512' {
  return signature.length === 128 ? 'sha512' : 'sha256';
}

interface Held {
  readonly held: readonly string[];
  readonly nowMs: number;
}

function verifyOurs(request: RawRequest, signature: string, { held, nowMs }: Held): Verification {
  const timestamp = request.headers['x-webhook-timestamp'] ?? '';
  const nonce = request.headers['x-webhook-nonce'] ?? '';
  if (!/^[0-9a-f]{64}$/.test(signature)) return refused('the signature is no HMAC-SHA256 in hex');
  if (!millisShape.test(timestamp)) return refused('X-Webhook-Timestamp is no time in milliseconds');
  if (!nonceShape.test(nonce)) return refused('X-Webhook-Nonce is missing or malformed');
  const signer = held.find((secret) =>
    isSameSecret(signature, companionSignature(secret, { timestamp, nonce }, request.body)),
  );
  if (signer === undefined) return refused('the signature does not match');
  if (Math.abs(nowMs - Number(timestamp)) > maxClockDifferenceMs) return refused('the request is too old or too new');
  // A nonce is spent for the key that signed it: the prefix of its hash names the key and tells nothing of it.
  const key = `webjs:${createHash('sha256').update(signer).digest('hex').slice(0, 16)}`;
  return { kind: 'verified', isAuthenticated: true, nonce: { key, value: nonce } };
}

interface Stamp {
  readonly timestamp: string;
  readonly nonce: string;
}

export function companionSignature(secret: string, { timestamp, nonce }: Stamp, body: Uint8Array): string {
  return createHmac('sha256', secret).update(`${timestamp}.${nonce}.`).update(body).digest('hex');
}

function verifyWaha(request: RawRequest, signature: string, held: readonly string[]): Verification {
  if (!/^[0-9a-f]{128}$/.test(signature)) return refused('the signature is no HMAC-SHA512 in hex');
  const isSigned = held.some((secret) =>
    isSameSecret(signature, createHmac('sha512', secret).update(request.body).digest('hex')),
  );
  return isSigned ? { kind: 'verified', isAuthenticated: true } : refused('the signature does not match');
}

function refused(reason: string): Verification {
  return { kind: 'refused', reason };
}
