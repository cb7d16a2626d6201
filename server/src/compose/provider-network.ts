import type { ServingAccount } from '#accounts';
import { anywhere, createReach, defaultSendTimeouts, type SendingNetwork, type SendTimeouts } from '#channels';
import type { Config } from '#config';

/** Where this account's provider is reached: its own address, within what tenants may reach, else the operator's. */
export function networkOf(config: Config, account: ServingAccount): Omit<SendingNetwork, 'signal'> {
  const timeouts = sendTimeouts(config);
  const own = account.settings.baseUrl;
  if (own !== undefined) return { baseUrl: own, reach: createReach(config.outboundAllowed), timeouts };
  return { baseUrl: config.providerUrls[account.provider] ?? '', reach: anywhere, timeouts };
}

function sendTimeouts({ sendTimeoutMs }: Config): SendTimeouts {
  const { connectMs, headersMs, bodyMs } = defaultSendTimeouts;
  const within = (ms: number) => Math.min(ms, sendTimeoutMs);
  return { connectMs: within(connectMs), headersMs: within(headersMs), bodyMs: within(bodyMs), totalMs: sendTimeoutMs };
}
