import type { AccountId } from '@switchyard/contract';
import { type AccountSummary, assessHealth, type Health, type HealthFacts, readProviderFacts } from '#accounts';
import type { WorkspaceTx } from '#storage';
import {
  countErrors,
  countReconnects,
  countSends,
  type ErrorsOfDay,
  measureLag,
  type SendsOfDay,
} from './health-store.ts';

/** The health of all these accounts of the transaction's workspace: four statements in one round trip, however many accounts. */
export async function loadHealth(
  tx: WorkspaceTx,
  accounts: readonly AccountSummary[],
  now: Date,
): Promise<ReadonlyMap<AccountId, Health>> {
  const ids = accounts.map(({ id }) => id);
  if (ids.length === 0) return new Map();
  const counts = await Promise.all([
    countSends(tx, ids, now),
    countErrors(tx, ids, now),
    countReconnects(tx, ids, now),
    measureLag(tx, ids, now),
  ]);
  const sends = byAccount(counts[0]);
  const errors = Map.groupBy(counts[1], ({ accountId }) => accountId);
  const reconnects = byAccount(counts[2]);
  const lags = byAccount(counts[3]);
  return new Map(
    accounts.map((account) => {
      const { id } = account;
      const counted = {
        sends: sends.get(id),
        errors: errors.get(id) ?? [],
        reconnects: reconnects.get(id)?.count ?? 0,
        lagMs: lags.get(id)?.lagMs ?? null,
      };
      return [id, assessHealth(factsOf(account, counted), now)];
    }),
  );
}

interface Counted {
  readonly sends: SendsOfDay | undefined;
  readonly errors: readonly ErrorsOfDay[];
  readonly reconnects: number;
  readonly lagMs: number | null;
}

function factsOf(account: AccountSummary, { sends, errors, reconnects, lagMs }: Counted): HealthFacts {
  return {
    provider: account.provider,
    isActive: account.isActive,
    status: account.connectionStatus,
    statusReason: account.connectionError,
    lastActivityAt: account.lastActivityAt,
    recentFailures: sends?.recentFailures ?? 0,
    day: {
      sent: sends?.sent ?? 0,
      failed: sends?.failed ?? 0,
      begun: sends?.begun ?? 0,
      reconnects,
      errors: errors.map(({ code, count }) => ({ code, count })),
    },
    webhooks: {
      status: account.webhookStatus,
      error: account.webhookError,
      lastAt: account.lastWebhookAt,
      lagMs,
      missing: account.webhookEvents.missing,
    },
    secrets: account.secretDates,
    told: readProviderFacts(account.metadata),
  };
}

function byAccount<Row extends { readonly accountId: AccountId }>(rows: readonly Row[]): ReadonlyMap<AccountId, Row> {
  return new Map(rows.map((row) => [row.accountId, row]));
}
