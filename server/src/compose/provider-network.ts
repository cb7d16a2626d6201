import type { ServingAccount } from '#accounts';
import { defaultSendTimeouts, type SendingNetwork, type SendTimeouts } from '#channels';
import type { Config } from '#config';

/** Where this account's provider is reached: its own address, else the one in the settings. */
export function networkOf(config: Config, account: ServingAccount): Omit<SendingNetwork, 'signal'> {
  const own = account.settings.baseUrl;
  const baseUrl = own ?? config.providerUrls[account.provider] ?? '';
  return { baseUrl, timeouts: sendTimeouts(config) };
}

function sendTimeouts({ sendTimeoutMs }: Config): SendTimeouts {
  const { connectMs, headersMs, bodyMs } = defaultSendTimeouts;
  const within = (ms: number) => Math.min(ms, sendTimeoutMs);
  return { connectMs: within(connectMs), headersMs: within(headersMs), bodyMs: within(bodyMs), totalMs: sendTimeoutMs };
}
