import type { AccountId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import {
  type CodeCount,
  countConversations,
  countDeadLetters,
  countErrorCodes,
  countMessages,
  countWebhooks,
  listBuckets,
  type MessageCounts,
  measureResponses,
  type ResponseTimes,
  type WebhookCounts,
} from './statistics-store.ts';

/** From the first instant to before the last. */
export interface StatisticsRange {
  readonly from: Date;
  readonly to: Date;
  readonly by: 'hour' | 'day';
  /** IANA name: whose days they are. */
  readonly timeZone: string;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The longest range of each kind: what is read for one answer has a bound. */
export const longestRangeMs = { hour: 14 * dayMs, day: 92 * dayMs } as const;
export const usualRangeMs = { hour: dayMs, day: 30 * dayMs } as const;

export interface StatisticsBucket {
  readonly at: Date;
  readonly received: number;
  readonly sent: number;
  readonly delivered: number;
  readonly read: number;
  readonly failed: number;
  readonly uncertain: number;
  readonly webhooks: number;
}

export interface AccountStatistics {
  readonly range: StatisticsRange;
  /** One for each hour or day of the range, empty ones too. */
  readonly buckets: readonly StatisticsBucket[];
  readonly totals: Omit<StatisticsBucket, 'at'>;
  /** Shares of 1: of those sent or failed the delivered, of those delivered the read; null: none were. */
  readonly rates: { readonly delivery: number | null; readonly read: number | null };
  readonly errors: readonly CodeCount[];
  readonly responses: readonly ResponseTimes[];
  readonly conversations: { readonly active: number; readonly begun: number };
  readonly webhooks: { readonly received: number; readonly unauthenticated: number; readonly deadLetters: number };
}

/** In the transaction's workspace; of an account that is not there everything is 0. */
export async function loadStatistics(
  tx: WorkspaceTx,
  accountId: AccountId,
  range: StatisticsRange,
): Promise<AccountStatistics> {
  const messages = await countMessages(tx, accountId, range);
  const webhooks = await countWebhooks(tx, accountId, range);
  const buckets = fillBuckets(await listBuckets(tx, range), messages, webhooks);
  const totals = totalOf(buckets);
  return {
    range,
    buckets,
    totals,
    rates: {
      delivery: shareOf(totals.delivered, totals.sent + totals.failed),
      read: shareOf(totals.read, totals.delivered),
    },
    errors: await countErrorCodes(tx, accountId, range),
    responses: await measureResponses(tx, accountId, range),
    conversations: await countConversations(tx, accountId, range),
    webhooks: {
      received: totals.webhooks,
      unauthenticated: webhooks.reduce((sum, { unauthenticated }) => sum + unauthenticated, 0),
      deadLetters: await countDeadLetters(tx, accountId, range),
    },
  };
}

const counted = ['received', 'sent', 'delivered', 'read', 'failed', 'uncertain'] as const;
const nothing = { received: 0, sent: 0, delivered: 0, read: 0, failed: 0, uncertain: 0, webhooks: 0 } as const;

export function fillBuckets(
  beginnings: readonly Date[],
  messages: readonly MessageCounts[],
  webhooks: readonly WebhookCounts[],
): readonly StatisticsBucket[] {
  const messagesAt = new Map(messages.map((row) => [row.bucket.getTime(), row]));
  const webhooksAt = new Map(webhooks.map((row) => [row.bucket.getTime(), row.received]));
  return beginnings.map((at) => {
    const row = messagesAt.get(at.getTime());
    const ofMessages = Object.fromEntries(counted.map((name) => [name, row?.[name] ?? 0]));
    return { ...nothing, ...ofMessages, at, webhooks: webhooksAt.get(at.getTime()) ?? 0 };
  });
}

function totalOf(buckets: readonly StatisticsBucket[]): AccountStatistics['totals'] {
  const totals: Record<keyof typeof nothing, number> = { ...nothing };
  for (const bucket of buckets) {
    for (const name of [...counted, 'webhooks'] as const) totals[name] += bucket[name];
  }
  return totals;
}

function shareOf(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
