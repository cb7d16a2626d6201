import type { ServingAccount } from '#accounts';
import { anywhere, defaultSendTimeouts, type Reach, type SendingNetwork, type SendTimeouts } from '#channels';
import type { Config } from '#config';

export type NetworkOf = (account: ServingAccount) => Omit<SendingNetwork, 'signal'>;

/** Where an account's provider is reached: its own address, within what tenants may reach, else the operator's. */
export function createNetworkOf(config: Config, tenantsReach: Reach): NetworkOf {
  const timeouts = sendTimeouts(config);
  return ({ provider, settings: { baseUrl } }) =>
    baseUrl === undefined
      ? { baseUrl: config.providerUrls[provider] ?? '', reach: anywhere, timeouts }
      : { baseUrl, reach: tenantsReach, timeouts };
}

function sendTimeouts({ sendTimeoutMs }: Config): SendTimeouts {
  const { connectMs, headersMs, bodyMs } = defaultSendTimeouts;
  const within = (ms: number) => Math.min(ms, sendTimeoutMs);
  return { connectMs: within(connectMs), headersMs: within(headersMs), bodyMs: within(bodyMs), totalMs: sendTimeoutMs };
}
