/** The two signatures that a companion makes: of what it asks the server, and of what it posts to a webhook. */
import { createHash, createHmac, randomBytes } from 'node:crypto';

export interface Signing {
  readonly nowMs: number;
  readonly nonce: string;
}

export function freshNonce(): string {
  return randomBytes(16).toString('hex');
}

/** `key.nonce.timestamp.METHOD.path.sha256hex(body)`, the time in seconds. */
export function serverHeaders(
  key: { readonly id: string; readonly secret: string },
  request: { readonly method: string; readonly target: string; readonly body: string },
  { nowMs, nonce }: Signing,
): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const digest = createHash('sha256').update(request.body).digest('hex');
  const text = [key.id, nonce, timestamp, request.method, request.target, digest].join('.');
  return {
    'x-switchyard-key': key.id,
    'x-switchyard-timestamp': timestamp,
    'x-switchyard-nonce': nonce,
    'x-switchyard-signature': createHmac('sha256', key.secret).update(text).digest('hex'),
  };
}

/** `timestamp.nonce.body`, the time in milliseconds. */
export function webhookHeaders(secret: string, body: string, { nowMs, nonce }: Signing): Record<string, string> {
  const timestamp = String(nowMs);
  return {
    'x-webhook-timestamp': timestamp,
    'x-webhook-nonce': nonce,
    'x-webhook-hmac-algorithm': 'sha256',
    'x-webhook-hmac': createHmac('sha256', secret).update(`${timestamp}.${nonce}.${body}`).digest('hex'),
  };
}
