import { displayPhone, toPublicId, type WorkspaceId } from '@switchyard/contract';
import type { AccountSummary } from '#accounts';
import { maxPageSize, type Page } from '#kernel';
import type { CliProduct } from '../deps.ts';

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

/** All of them, the newest first. */
export async function listRemoved(product: CliProduct, workspaceId: WorkspaceId): Promise<AccountSummary[]> {
  const all: AccountSummary[] = [];
  let cursor: string | null = null;
  do {
    const wanted = { limit: maxPageSize, isRemoved: true, ...(cursor === null ? {} : { cursor }) };
    const page: Page<AccountSummary> = await product.accounts.listPage(workspaceId, wanted);
    all.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}
