/**
 * SQL of an account's statistics. Every statement reads a range of keys: ids are uuids of version 7, so `(workspace_id, id)`
 * is an index by time too, and partitions outside the range are not opened. Moved-in history is not counted.
 */
import type { AccountId } from '@switchyard/contract';
import { firstIdOf, type WorkspaceTx } from '#storage';
import type { StatisticsRange } from './statistics.ts';

/** An id may be drawn a little before its row is stamped. */
const slackMs = 600_000;
const maxCodes = 20;

export interface MessageCounts {
  readonly [column: string]: unknown;
  readonly bucket: Date;
  readonly received: number;
  readonly sent: number;
  readonly delivered: number;
  readonly read: number;
  readonly failed: number;
  readonly uncertain: number;
}

/** Buckets with something in them. `sent` is what a provider took, delivered and read ones among it. */
export function countMessages(tx: WorkspaceTx, accountId: AccountId, range: StatisticsRange): Promise<MessageCounts[]> {
  return tx.query<MessageCounts>(
    `SELECT date_trunc($6, created_at, $7) AS bucket,
            count(*) FILTER (WHERE direction = 'in')::integer AS received,
            count(*) FILTER (WHERE direction = 'out' AND status IN ('sent', 'delivered', 'read', 'played'))::integer AS sent,
            count(*) FILTER (WHERE direction = 'out' AND status IN ('delivered', 'read', 'played'))::integer AS delivered,
            count(*) FILTER (WHERE direction = 'out' AND status IN ('read', 'played'))::integer AS read,
            count(*) FILTER (WHERE direction = 'out' AND status = 'failed')::integer AS failed,
            count(*) FILTER (WHERE direction = 'out' AND status = 'uncertain')::integer AS uncertain
     FROM messages WHERE ${inRangeBy('created_at')} AND NOT is_history AND NOT is_test
     GROUP BY 1 ORDER BY 1`,
    [...keysOf(tx, accountId, range), range.by, range.timeZone],
  );
}

export interface CodeCount {
  readonly [column: string]: unknown;
  readonly code: string;
  readonly detail: string | null;
  readonly count: number;
  readonly lastAt: Date;
}

export function countErrorCodes(tx: WorkspaceTx, accountId: AccountId, range: StatisticsRange): Promise<CodeCount[]> {
  return tx.query<CodeCount>(
    `SELECT coalesce(error ->> 'providerCode', error ->> 'code', 'unknown') AS code, max(error ->> 'detail') AS detail,
            count(*)::integer AS count, max(coalesce(status_at, created_at)) AS "lastAt"
     FROM messages WHERE ${inRangeBy('created_at')} AND direction = 'out' AND status = 'failed' AND NOT is_history AND NOT is_test
     GROUP BY 1 ORDER BY count DESC, code LIMIT ${maxCodes}`,
    keysOf(tx, accountId, range),
  );
}

export interface ResponseTimes {
  readonly [column: string]: unknown;
  readonly author: 'bot' | 'person';
  readonly count: number;
  readonly medianMs: number;
  readonly p95Ms: number;
}

/**
 * From the arrival of the first message that waited to when its first answer left, in one conversation. A bot's answer is
 * written in the transaction of the message itself: the webhook's arrival and the send's end tell them apart.
 */
export function measureResponses(
  tx: WorkspaceTx,
  accountId: AccountId,
  range: StatisticsRange,
): Promise<ResponseTimes[]> {
  return tx.query<ResponseTimes>(
    `WITH spoken AS (
       SELECT conversation_id, direction, author, created_at, id, event_id,
              count(*) FILTER (WHERE direction = 'out') OVER (
                PARTITION BY conversation_id ORDER BY created_at, id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS answers
       FROM messages WHERE ${inRangeBy('created_at')} AND NOT is_history AND NOT is_test),
     waits AS (
       SELECT (array_agg(event_id ORDER BY created_at, id) FILTER (WHERE direction = 'in'))[1] AS event_id,
              min(created_at) FILTER (WHERE direction = 'in') AS asked_at,
              (array_agg(id) FILTER (WHERE direction = 'out'))[1] AS answer_id,
              min(created_at) FILTER (WHERE direction = 'out') AS answered_at,
              min(author) FILTER (WHERE direction = 'out') AS author
       FROM spoken GROUP BY conversation_id, answers),
     answered AS (
       SELECT w.author, extract(epoch FROM coalesce(o.settled_at, w.answered_at) - coalesce(e.received_at, w.asked_at)) AS seconds
       FROM waits w
       LEFT JOIN events e ON e.workspace_id = $1 AND e.id = w.event_id
       LEFT JOIN outbox o ON o.workspace_id = $1 AND o.message_id = w.answer_id AND o.state = 'sent'
       WHERE w.asked_at <= w.answered_at AND w.author IN ('bot', 'person', 'device'))
     SELECT CASE author WHEN 'bot' THEN 'bot' ELSE 'person' END AS author, count(*)::integer AS count,
            1000 * percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS "medianMs",
            1000 * percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS "p95Ms"
     FROM answered GROUP BY 1 ORDER BY 1`,
    keysOf(tx, accountId, range),
  );
}

/** With a message in the range, and begun in it. */
export async function countConversations(
  tx: WorkspaceTx,
  accountId: AccountId,
  range: StatisticsRange,
): Promise<{ readonly active: number; readonly begun: number }> {
  const rows = await tx.query<{ active: number; begun: number }>(
    `SELECT (SELECT count(DISTINCT conversation_id) FROM messages WHERE ${inRangeBy('created_at')} AND NOT is_history AND NOT is_test)::integer
              AS active,
            (SELECT count(*) FROM conversations WHERE ${inRangeBy('created_at')})::integer AS begun`,
    keysOf(tx, accountId, range),
  );
  return rows[0] ?? { active: 0, begun: 0 };
}

export interface WebhookCounts {
  readonly [column: string]: unknown;
  readonly bucket: Date;
  readonly received: number;
  readonly unauthenticated: number;
}

export function countWebhooks(tx: WorkspaceTx, accountId: AccountId, range: StatisticsRange): Promise<WebhookCounts[]> {
  return tx.query<WebhookCounts>(
    `SELECT date_trunc($6, received_at, $7) AS bucket, count(*)::integer AS received,
            count(*) FILTER (WHERE NOT is_authenticated)::integer AS unauthenticated
     FROM deliveries WHERE ${inRangeBy('received_at')} AND NOT is_test
     GROUP BY 1 ORDER BY 1`,
    [...keysOf(tx, accountId, range), range.by, range.timeZone],
  );
}

/** Parts of deliveries that were given up in the range. */
export async function countDeadLetters(
  tx: WorkspaceTx,
  accountId: AccountId,
  { from, to }: StatisticsRange,
): Promise<number> {
  const rows = await tx.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM dead_letters
     WHERE workspace_id = $1 AND account_id = $2 AND created_at >= $3 AND created_at < $4 AND delivery_id IS NOT NULL`,
    [tx.workspaceId, accountId, from, to],
  );
  return rows[0]?.count ?? 0;
}

/** The beginnings of all buckets of the range, empty ones too; days are days of the time zone. */
export async function listBuckets(tx: WorkspaceTx, { from, to, by, timeZone }: StatisticsRange): Promise<Date[]> {
  const rows = await tx.query<{ bucket: Date }>(
    by === 'hour'
      ? `SELECT bucket FROM generate_series(date_trunc('hour', $1::timestamptz, $3), $2::timestamptz - interval '1 us',
           interval '1 hour') AS bucket`
      : `SELECT bucket AT TIME ZONE $3 AS bucket
         FROM generate_series(date_trunc('day', $1::timestamptz AT TIME ZONE $3),
           ($2::timestamptz - interval '1 us') AT TIME ZONE $3, interval '1 day') AS bucket`,
    [from, to, timeZone],
  );
  return rows.map(({ bucket }) => bucket);
}

/** $1 to $5 of `keysOf`. */
function inRangeBy(column: 'created_at' | 'received_at'): string {
  return `workspace_id = $1 AND account_id = $2 AND id >= $3 AND ${column} >= $4 AND ${column} < $5`;
}

function keysOf(tx: WorkspaceTx, accountId: AccountId, { from, to }: StatisticsRange): readonly unknown[] {
  return [tx.workspaceId, accountId, firstIdOf(from.getTime() - slackMs), from, to];
}
