import type { SendingAccount } from '../channel.ts';

/** An API key pair where there is one, else the account's own sid and token. */
export function basicAuthorization({ settings, credentials }: SendingAccount): string | undefined {
  const user = settings.apiKeySid && credentials.apiKeySecret ? settings.apiKeySid : settings.accountSid;
  const password = settings.apiKeySid && credentials.apiKeySecret ? credentials.apiKeySecret : credentials.authToken;
  if (!user || !password) return undefined;
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
