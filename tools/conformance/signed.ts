/** Signs a payload as its provider would: written from the providers' documents, not from our verifiers. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Provider } from '../../contract/src/index.ts';

export function signedHeaders(
  provider: Provider,
  request: { readonly url: string; readonly body: Buffer; readonly secret: string },
): Record<string, string> {
  const { url, body, secret } = request;
  switch (provider) {
    case 'meta':
    case 'instagram':
      return { 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` };
    case 'twilio': {
      const fields = new Map<string, string[]>();
      for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
        fields.set(name, [...new Set([...(fields.get(name) ?? []), value])].sort());
      }
      const signed = [...fields]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([name, values]) => values.map((value) => name + value));
      return {
        'x-twilio-signature': createHmac('sha1', secret)
          .update(url + signed.join(''))
          .digest('base64'),
      };
    }
    case 'evolution':
      return { apikey: secret };
    case 'webjs': {
      const timestamp = String(Date.now());
      const nonce = randomBytes(16).toString('hex');
      const hmac = createHmac('sha256', secret).update(`${timestamp}.${nonce}.`).update(body).digest('hex');
      return {
        'x-webhook-timestamp': timestamp,
        'x-webhook-nonce': nonce,
        'x-webhook-hmac': hmac,
        'x-webhook-hmac-algorithm': 'sha256',
      };
    }
  }
}
