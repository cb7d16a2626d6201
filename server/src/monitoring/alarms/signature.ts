/**
 * How our own webhooks are signed: Standard Webhooks (https://www.standardwebhooks.com), HMAC-SHA256 over
 * `id.timestamp.body`, so that receivers can use a ready library. The id stays the same over all tries. Pure.
 */
import { createHmac } from 'node:crypto';

const secretPrefix = 'whsec_';

/** 32 random bytes as the receiver is shown them. */
export function secretText(bytes: Uint8Array): string {
  return `${secretPrefix}${Buffer.from(bytes).toString('base64')}`;
}

export interface Signed {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

export function sign(secret: string, id: string, at: Date, body: string): Signed {
  const seconds = String(Math.floor(at.getTime() / 1_000));
  const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${mac}` };
}
