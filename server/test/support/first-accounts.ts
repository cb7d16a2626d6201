/** One account of each provider as a person adds it, and as the stand-in that plays its number is told of it. */
import type { Provider } from '@switchyard/contract';

export interface FirstAccount {
  readonly provider: Provider;
  /** As the console's form names the provider. */
  readonly label: string;
  readonly name: string;
  /** Of the stand-in; also the phone number, but for Instagram. */
  readonly number: string;
  /** Settings and secrets of ours, by the label of their field. */
  readonly fields: readonly { readonly name: string; readonly label: string; readonly value: string }[];
  readonly ids: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** The names of the fields that are secrets. */
export const secretNames: ReadonlySet<string> = new Set([
  'accessToken',
  'appSecret',
  'authToken',
  'apiKey',
  'webhookKey',
]);

/** `tail` tells numbers and ids of one test from those of another; the stand-ins listen from `firstPort` on. */
export function firstAccounts(tail: string, firstPort: number): readonly FirstAccount[] {
  const at = (offset: number) => ({
    name: 'baseUrl',
    label: 'Base URL',
    value: `http://127.0.0.1:${firstPort + offset}`,
  });
  const field = (name: string, label: string, value: string) => ({ name, label, value });
  const token = `a token of ${tail}`;
  return [
    {
      ...{ provider: 'meta', label: 'WhatsApp Cloud API', name: 'Shop on Cloud API', number: `+1555010${tail}1` },
      fields: [
        field('phoneNumberId', 'Phone number ID', `1000000000${tail}1`),
        at(1),
        field('accessToken', 'Access token', token),
        field('appSecret', 'App secret', token),
      ],
      ids: { phoneNumberId: `1000000000${tail}1` },
      secrets: { accessToken: token, appSecret: token },
    },
    {
      ...{ provider: 'instagram', label: 'Instagram', name: 'Shop on Instagram', number: `shop.${tail}` },
      fields: [
        field('instagramId', 'Instagram account ID', `1784000000${tail}2`),
        at(1),
        field('accessToken', 'Access token', token),
        field('appSecret', 'App secret', token),
      ],
      ids: { instagramId: `1784000000${tail}2` },
      secrets: { accessToken: token, appSecret: token },
    },
    {
      ...{ provider: 'twilio', label: 'Twilio', name: 'Shop on Twilio', number: `+1555010${tail}3` },
      fields: [
        field('accountSid', 'Account SID', `AC${tail.padStart(32, '0')}`),
        field('sender', 'Sender', `whatsapp:+1555010${tail}3`),
        at(2),
        field('authToken', 'Auth token', token),
      ],
      ids: {},
      secrets: { accountSid: `AC${tail.padStart(32, '0')}`, authToken: token },
    },
    {
      ...{ provider: 'evolution', label: 'Evolution API', name: 'Shop on Evolution', number: `+1555010${tail}4` },
      fields: [field('instance', 'Instance', `shop-${tail}`), at(3), field('apiKey', 'API key', token)],
      ids: { instance: `shop-${tail}` },
      secrets: { apiKey: token },
    },
    {
      ...{ provider: 'webjs', label: 'Web companion', name: 'Shop on the web', number: `+1555010${tail}5` },
      fields: [
        field('session', 'Session', `session-${tail}`),
        at(4),
        field('webhookKey', 'Webhook HMAC key', token),
        field('apiKey', 'API key', token),
      ],
      ids: { session: `session-${tail}` },
      secrets: { hmacKey: token, apiKey: token },
    },
  ];
}
