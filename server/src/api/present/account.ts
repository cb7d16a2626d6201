import {
  type AccountHealthView,
  type AccountStatisticsView,
  type AccountStatusView,
  type AccountView,
  displayPhone,
  type EndView,
  type PersonId,
  toPublicId,
} from '@switchyard/contract';
import {
  type AccountSummary,
  connectionActs,
  type Health,
  type PastConnectionChange,
  type WebhookEvents,
} from '#accounts';
import type { AccountStatistics, End } from '#monitoring';

/** No secret is in it: names of those that are held. */
export function presentAccount(account: AccountSummary): AccountView {
  return {
    id: toPublicId('account', account.id),
    uuid: account.id,
    provider: account.provider,
    channel: account.channel,
    name: account.name,
    phoneNumber: account.phoneNumber,
    phoneDisplay: account.phoneNumber && displayPhone(account.phoneNumber),
    businessName: account.businessName,
    status: account.connectionStatus,
    statusDetail: account.connectionError,
    webhookStatus: account.webhookStatus,
    webhookError: account.webhookError,
    webhookEvents: presentEvents(account.webhookEvents),
    isPrimary: account.isPrimary,
    isActive: account.isActive,
    settings: { ...account.settings },
    heldSecrets: [...account.heldSecrets],
    secretDates: account.secretDates.map(({ name, setAt, endsAt }) => ({
      name,
      setAt: setAt.toISOString(),
      endsAt: instantOf(endsAt),
    })),
    metadata: { ...account.metadata },
    connectionChangedAt: instantOf(account.connectionChangedAt),
    lastConnectedAt: instantOf(account.lastConnectedAt),
    lastActivityAt: instantOf(account.lastActivityAt),
    lastWebhookAt: instantOf(account.lastWebhookAt),
    createdBy: account.createdBy === null ? null : toPublicId('person', account.createdBy as PersonId),
    createdAt: account.createdAt.toISOString(),
    removedAt: instantOf(account.removedAt),
  };
}

export function presentHealth(health: Health): AccountHealthView {
  const { score, isHealthy, signals } = health;
  return { score, isHealthy, signals: signals.map((signal) => ({ ...signal, facts: { ...signal.facts } })) };
}

export function presentStatus(account: AccountSummary, history: readonly PastConnectionChange[]): AccountStatusView {
  const { connectionStatus: status } = account;
  const acts = Object.entries(connectionActs) as [keyof typeof connectionActs, { from: readonly string[] }][];
  return {
    status,
    statusDetail: account.connectionError,
    since: instantOf(account.connectionChangedAt),
    acts: acts.filter(([, { from }]) => from.includes(status)).map(([act]) => act),
    isActive: account.isActive,
    lastConnectedAt: instantOf(account.lastConnectedAt),
    lastActivityAt: instantOf(account.lastActivityAt),
    webhook: {
      status: account.webhookStatus,
      error: account.webhookError,
      lastAt: instantOf(account.lastWebhookAt),
      events: presentEvents(account.webhookEvents),
    },
    history: history.map(({ previous, next, reason, actor, at }) => ({
      previous,
      next,
      reason,
      actor,
      at: at.toISOString(),
    })),
  };
}

export function presentStatistics({ range, ...statistics }: AccountStatistics): AccountStatisticsView {
  const { by, timeZone } = range;
  const { totals, rates, conversations, webhooks } = statistics;
  return {
    ...{ by, timeZone, totals, rates, conversations, webhooks },
    from: range.from.toISOString(),
    to: range.to.toISOString(),
    buckets: statistics.buckets.map((bucket) => ({ ...bucket, at: bucket.at.toISOString() })),
    errors: statistics.errors.map(({ code, detail, count, lastAt }) => ({
      code,
      detail,
      count,
      lastAt: lastAt.toISOString(),
    })),
    responses: statistics.responses.map(({ author, count, medianMs, p95Ms }) => ({ author, count, medianMs, p95Ms })),
  };
}

export function presentEnd({ accountId, endsAt, ...end }: End): EndView {
  return { ...end, accountId: accountId && toPublicId('account', accountId), endsAt: endsAt.toISOString() };
}

function presentEvents({ wanted, subscribed, checkedAt, missing, unwanted }: WebhookEvents) {
  return {
    wanted: [...wanted],
    subscribed: subscribed && [...subscribed],
    checkedAt: instantOf(checkedAt),
    missing: [...missing],
    unwanted: [...unwanted],
  };
}

function instantOf(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
