import type { ChannelName, Provider } from '@switchyard/contract';
import type { AccountFields } from '#channels';
import type { AccountRow } from './account-store.ts';
import type { AccountSummary, ServingAccount } from './accounts.ts';
import { bindingsOf } from './bindings.ts';

type Secrets = Readonly<Record<string, string>>;

export function presentAccount(row: AccountRow, secrets: Secrets): AccountSummary {
  const { id, workspaceId, provider, channel, name, phoneNumber, connectionStatus, connectionError } = row;
  const { webhookStatus, isPrimary, isActive, settings, lastActivityAt, lastWebhookAt, createdAt } = row;
  return {
    id,
    workspaceId,
    provider,
    channel,
    name,
    phoneNumber,
    connectionStatus,
    connectionError,
    webhookStatus,
    isPrimary,
    isActive,
    settings,
    lastActivityAt,
    lastWebhookAt,
    createdAt,
    heldSecrets: Object.keys(secrets).sort(),
  };
}

export function servingAccount(
  row: AccountRow,
  open: { readonly secrets: Secrets; readonly webhookUrl: string | null },
  fields: AccountFields,
): ServingAccount {
  const { workspaceId, workspaceName, provider, channel, name, isActive, isDeleted } = row;
  const { cutover, cutoverShare, settings, version } = row;
  return {
    workspaceId,
    workspaceName,
    provider,
    channel,
    name,
    isActive,
    isDeleted,
    cutover,
    cutoverShare,
    settings,
    version,
    accountId: row.id,
    ...open,
    bindings: new Set(bindingsOf(fields, settings).map(({ kind, value }) => `${kind}:${value}`)),
  };
}

/** Path and, where the public URL is known, scheme and host. */
export function webhookUrl(
  publicUrl: string | undefined,
  at: { readonly provider: Provider; readonly channel: ChannelName },
  token: string,
): string {
  return `${publicUrl ?? ''}/webhooks/${at.provider}/${at.channel}/${encodeURIComponent(token)}`;
}
