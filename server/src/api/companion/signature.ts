/**
 * How a companion signs (pure). Ours: hex HMAC-SHA256 over `key.nonce.timestamp.METHOD.path.sha256hex(body)`, where `path`
 * is the request target as it was sent, query and all, and `timestamp` is in seconds. The older pair signs timestamp and
 * body only, so it covers neither the path nor a nonce.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export const maxClockDifferenceSeconds = 300;

/** As long as a request may be taken from first to last: before its time and after it. */
export const nonceMemoryMs = 2 * maxClockDifferenceSeconds * 1_000 + 60_000;

export interface Signed {
  readonly method: string;
  readonly target: string;
  readonly body: Uint8Array;
}

export interface Stamp {
  readonly key: string;
  readonly nonce: string;
  readonly timestamp: string;
}

export type SignatureHeaders =
  | ({ readonly kind: 'named'; readonly signature: string } & Stamp)
  | { readonly kind: 'older'; readonly timestamp: string; readonly signature: string }
  | { readonly kind: 'refused'; readonly reason: string };

const hexShape = /^[0-9a-f]{64}$/;
const nonceShape = /^[\w.~+/=:-]{8,128}$/;
const secondsShape = /^\d{9,11}$/;
/** Older clients of JavaScript send milliseconds. */
const millisShape = /^\d{12,14}$/;

export function readSignature(headers: Readonly<Record<string, string | string[] | undefined>>): SignatureHeaders {
  const text = (name: string) => {
    const value = headers[name];
    return typeof value === 'string' ? value.trim() : '';
  };
  const named = text('x-switchyard-signature');
  if (named) {
    const [key, nonce, timestamp] = ['key', 'nonce', 'timestamp'].map((name) => text(`x-switchyard-${name}`));
    if (!key || !nonceShape.test(nonce ?? '')) return refused('X-Switchyard-Key or X-Switchyard-Nonce is missing');
    if (!secondsShape.test(timestamp ?? '')) return refused('X-Switchyard-Timestamp is no time in seconds');
    if (!hexShape.test(named)) return refused('X-Switchyard-Signature is no HMAC-SHA256 in hex');
    return { kind: 'named', key, nonce: nonce!, timestamp: timestamp!, signature: named };
  }
  const signature = text('x-hmac-signature').replace(/^sha256=/, '');
  const timestamp = text('x-timestamp');
  if (!signature || !timestamp) return refused('the request is not signed');
  if (!hexShape.test(signature)) return refused('X-HMAC-Signature is no HMAC-SHA256 in hex');
  if (!secondsShape.test(timestamp) && !millisShape.test(timestamp)) return refused('X-Timestamp is no time');
  return { kind: 'older', timestamp, signature };
}

export function signatureOf(secret: string, stamp: Stamp, { method, target, body }: Signed): string {
  const digest = createHash('sha256').update(body).digest('hex');
  const text = [stamp.key, stamp.nonce, stamp.timestamp, method.toUpperCase(), target, digest].join('.');
  return createHmac('sha256', secret).update(text).digest('hex');
}

export function olderSignatureOf(secret: string, timestamp: string, body: Uint8Array): string {
  return createHmac('sha256', secret).update(timestamp).update(body).digest('hex');
}

/** In constant time: how much of it was right must not show. */
export function isSameSignature(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

export function isTimely(timestamp: string, now: Date): boolean {
  const seconds = millisShape.test(timestamp) ? Number(timestamp) / 1_000 : Number(timestamp);
  return Math.abs(now.getTime() / 1_000 - seconds) <= maxClockDifferenceSeconds;
}

function refused(reason: string): SignatureHeaders {
  return { kind: 'refused', reason };
}
