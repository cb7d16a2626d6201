import { displayPhone, toPublicId } from '@switchyard/contract';
import type { AccountSummary } from '#accounts';

/** An account as commands print it with `--json`. */
export function presentForCommand(account: AccountSummary) {
  return {
    id: toPublicId('account', account.id),
    workspaceId: toPublicId('workspace', account.workspaceId),
    provider: account.provider,
    channel: account.channel,
    name: account.name,
    phoneNumber: account.phoneNumber,
    phoneDisplay: account.phoneNumber && displayPhone(account.phoneNumber),
    businessName: account.businessName,
    status: account.connectionStatus,
    statusDetail: account.connectionError,
    webhookStatus: account.webhookStatus,
    isPrimary: account.isPrimary,
    isActive: account.isActive,
    lastActivityAt: account.lastActivityAt,
    lastConnectedAt: account.lastConnectedAt,
    createdAt: account.createdAt,
    removedAt: account.removedAt,
  };
}
