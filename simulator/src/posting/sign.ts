/** How each provider proves that a webhook is its own. Written from providers.md 1.2, 3.2 and 5.3; pure. */
import { createHmac } from 'node:crypto';

/** Meta and Instagram: `X-Hub-Signature-256`, over the exact bytes with the app secret. */
export function signGraph(appSecret: string, body: Buffer): string {
  return `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`;
}

/**
 * Twilio: `X-Twilio-Signature`, HMAC-SHA1 over the URL as configured (without its fragment) followed by every
 * parameter's name and value, sorted by name; of repeated names each value once, sorted.
 */
export function signTwilio(authToken: string, url: string, parameters: URLSearchParams): string {
  const names = [...new Set(parameters.keys())].sort();
  let text = withoutFragment(url);
  for (const name of names) {
    for (const value of [...new Set(parameters.getAll(name))].sort()) text += name + value;
  }
  return createHmac('sha1', authToken).update(text, 'utf8').digest('base64');
}

/** The web companion: hex HMAC-SHA256 over `timestamp.nonce.` and the raw body. */
export function signCompanion(key: string, timestamp: string, nonce: string, body: Buffer): string {
  return createHmac('sha256', key).update(`${timestamp}.${nonce}.`).update(body).digest('hex');
}

/** WAHA's own form: hex HMAC-SHA512 over the raw body alone. */
export function signWaha(key: string, body: Buffer): string {
  return createHmac('sha512', key).update(body).digest('hex');
}

export function withoutFragment(url: string): string {
  const hash = url.indexOf('#');
  return hash < 0 ? url : url.slice(0, hash);
}
