import { type AccountView, toPublicId } from '@switchyard/contract';
import type { AccountSummary } from '#accounts';

/** No secret is in it: names of those that are held. */
export function presentAccount(account: AccountSummary): AccountView {
  return {
    id: toPublicId('account', account.id),
    provider: account.provider,
    channel: account.channel,
    name: account.name,
    phoneNumber: account.phoneNumber,
    status: account.connectionStatus,
    statusDetail: account.connectionError,
    webhookStatus: account.webhookStatus,
    isPrimary: account.isPrimary,
    isActive: account.isActive,
    settings: { ...account.settings },
    heldSecrets: [...account.heldSecrets],
    lastActivityAt: account.lastActivityAt?.toISOString() ?? null,
    lastWebhookAt: account.lastWebhookAt?.toISOString() ?? null,
    createdAt: account.createdAt.toISOString(),
  };
}
