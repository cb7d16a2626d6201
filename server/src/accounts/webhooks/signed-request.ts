/** Requests signed as each provider would sign them: for canaries and for tests of a webhook. */
import { createHmac, randomBytes } from 'node:crypto';
import type { ServingAccount } from '../accounts.ts';

export interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Meta and Instagram: HMAC-SHA256 of the bytes under the app secret. */
export function signedByHub(account: ServingAccount, value: object): SignedRequest {
  const body = JSON.stringify(value);
  const signature = createHmac('sha256', account.secrets.appSecret ?? '')
    .update(body)
    .digest('hex');
  return { headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` }, body };
}

/** HMAC-SHA1 of the URL and the sorted fields under the auth token. */
export function signedByTwilio(
  account: ServingAccount,
  url: string,
  fields: Readonly<Record<string, string>>,
): SignedRequest {
  const signed = Object.keys(fields)
    .sort()
    .reduce((text, name) => text + name + fields[name], url);
  const signature = createHmac('sha1', account.secrets.authToken ?? '')
    .update(signed)
    .digest('base64');
  return {
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
    body: new URLSearchParams(fields).toString(),
  };
}

/** Evolution signs nothing: it shows a secret. */
export function withEvolutionKey(account: ServingAccount, value: object): SignedRequest {
  const apikey = account.secrets.webhookSecret ?? account.secrets.apiKey ?? '';
  return { headers: { 'content-type': 'application/json', apikey }, body: JSON.stringify(value) };
}

/** HMAC-SHA256 of time, nonce and bytes under the key that is shared with the companion. */
export function signedByCompanion(account: ServingAccount, value: object, now: Date): SignedRequest {
  const body = JSON.stringify(value);
  const timestamp = String(now.getTime());
  const nonce = randomBytes(16).toString('hex');
  const hmac = createHmac('sha256', account.secrets.webhookKey ?? '')
    .update(`${timestamp}.${nonce}.${body}`)
    .digest('hex');
  return {
    headers: {
      'content-type': 'application/json',
      'x-webhook-timestamp': timestamp,
      'x-webhook-nonce': nonce,
      'x-webhook-hmac': hmac,
      'x-webhook-hmac-algorithm': 'sha256',
    },
    body,
  };
}
