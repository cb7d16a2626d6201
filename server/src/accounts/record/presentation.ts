import type { ChannelName, Provider } from '@switchyard/contract';
import type { AccountFields } from '#channels';
import type { AccountSummary, ServingAccount } from '../accounts.ts';
import { bindingsOf } from '../routing/bindings.ts';
import { compareWebhookEvents } from '../webhooks/webhook-events.ts';
import type { AccountRow } from './account-store.ts';

type Secrets = Readonly<Record<string, string>>;

export function presentAccount(row: AccountRow, secrets: Secrets, fields: AccountFields): AccountSummary {
  const { id, workspaceId, provider, channel, name, phoneNumber, connectionStatus, connectionError } = row;
  const { webhookStatus, webhookError, isPrimary, isActive, settings, businessName } = row;
  const { connectionChangedAt, lastConnectedAt, lastActivityAt, lastWebhookAt, createdBy, createdAt, removedAt } = row;
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
    webhookError,
    isPrimary,
    isActive,
    settings,
    businessName,
    connectionChangedAt,
    lastConnectedAt,
    lastActivityAt,
    lastWebhookAt,
    createdBy,
    createdAt,
    removedAt,
    metadata: withoutCodes(row.metadata),
    heldSecrets: Object.keys(secrets).sort(),
    secretDates: row.secretDates.map((date) => ({
      name: date.name,
      setAt: new Date(date.setAt),
      endsAt: date.endsAt === null ? null : new Date(date.endsAt),
    })),
    webhookEvents: compareWebhookEvents(row.wantedWebhookEvents, fields.webhookEvents, {
      subscribed: row.subscribedWebhookEvents,
      checkedAt: row.subscriptionCheckedAt,
    }),
  };
}

/** Whoever has the code can link a phone to the account. */
function withoutCodes({ qr: _code, ...metadata }: AccountRow['metadata']): Readonly<Record<string, unknown>> {
  return metadata;
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
