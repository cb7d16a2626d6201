/** What each provider needs, in the words of that provider's own panel (which are not translated there either). */
import type { Provider } from '@switchyard/contract';

export interface AccountField {
  readonly name: string;
  readonly label: string;
  readonly isRequired?: true;
  readonly placeholder?: string;
}

export interface AccountForm {
  readonly settings: readonly AccountField[];
  readonly secrets: readonly AccountField[];
}

const graphVersion = { name: 'graphVersion', label: 'Graph API version' } as const;
const metaSecrets = [
  { name: 'accessToken', label: 'Access token', isRequired: true },
  { name: 'appSecret', label: 'App secret' },
  { name: 'verifyToken', label: 'Verify token' },
] as const;
const baseUrl = { name: 'baseUrl', label: 'Base URL', placeholder: 'https://…' } as const;

export const accountForms = {
  meta: {
    settings: [
      { name: 'phoneNumberId', label: 'Phone number ID', isRequired: true },
      { name: 'wabaId', label: 'WhatsApp Business Account ID' },
      graphVersion,
    ],
    secrets: metaSecrets,
  },
  instagram: {
    settings: [{ name: 'instagramId', label: 'Instagram account ID', isRequired: true }, graphVersion],
    secrets: metaSecrets,
  },
  twilio: {
    settings: [
      { name: 'accountSid', label: 'Account SID', isRequired: true, placeholder: 'AC…' },
      { name: 'sender', label: 'Sender', placeholder: 'whatsapp:+14155238886' },
      { name: 'messagingServiceSid', label: 'Messaging Service SID', placeholder: 'MG…' },
      { name: 'apiKeySid', label: 'API key SID', placeholder: 'SK…' },
    ],
    secrets: [
      { name: 'authToken', label: 'Auth token', isRequired: true },
      { name: 'apiKeySecret', label: 'API key secret' },
    ],
  },
  evolution: {
    settings: [
      { name: 'instance', label: 'Instance', isRequired: true },
      baseUrl,
      { name: 'version', label: 'Version', placeholder: 'v2' },
    ],
    secrets: [
      { name: 'apiKey', label: 'API key', isRequired: true },
      { name: 'webhookSecret', label: 'Webhook secret' },
    ],
  },
  webjs: {
    settings: [{ name: 'session', label: 'Session', isRequired: true }, baseUrl],
    secrets: [
      { name: 'webhookKey', label: 'Webhook HMAC key', isRequired: true },
      { name: 'apiKey', label: 'API key' },
    ],
  },
} as const satisfies Record<Provider, AccountForm>;

export interface FormState {
  provider: Provider;
  name: string;
  phoneNumber: string;
  isActive: boolean;
  settings: Record<string, string>;
  secrets: Record<string, string>;
}

/** Only what this provider knows and a person filled in: leftovers of another provider are not sent. */
export function filledIn(fields: readonly AccountField[], values: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    fields.flatMap(({ name }) => {
      const value = values[name]?.trim();
      return value ? [[name, value]] : [];
    }),
  );
}

/** Names of required fields that are empty, as the form calls them. */
export function missingFields(state: FormState): string[] {
  const form: AccountForm = accountForms[state.provider];
  const missing = (part: 'settings' | 'secrets') =>
    form[part]
      .filter(({ name, isRequired }) => isRequired && !state[part][name]?.trim())
      .map(({ name }) => `${part}.${name}`);
  return [...missing('settings'), ...missing('secrets')];
}
