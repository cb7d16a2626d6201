/**
 * Reads an Evolution server's own message store (`POST /chat/findMessages/{instance}`). v2 takes a span (both `gte` and
 * `lte`, or it takes neither) and gives pages, newest first; v1 knows neither span nor page, only `limit`, newest first,
 * and answers an empty list where it keeps no messages or failed. Source: the servers' `fetchMessages` and
 * `MessageRepository.find`. How far back a store reaches is its operator's setting, so it is asked for.
 */
import type { Failure } from '@switchyard/contract';
import type { ListedRequest, MessageList, MessageListRequest, SendingAccount, SendingNetwork } from '../channel.ts';
import { callProvider, judgeBareAnswer } from '../http/index.ts';
import {
  idAt,
  isArray,
  isObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  textAt,
  valueAt,
} from '../reading/index.ts';

/** All that a v1 server is asked for at once; it cannot be asked for more later. */
const maxV1Messages = 2_000;

export function listEvolutionMessages(
  account: SendingAccount,
  request: MessageListRequest,
  network: SendingNetwork,
): Promise<MessageList> {
  return account.settings.version === 'v1' ? listV1(account, request, network) : listV2(account, request, network);
}

async function listV1(
  account: SendingAccount,
  request: MessageListRequest,
  network: SendingNetwork,
): Promise<MessageList> {
  const answer = await find(account, { where: {}, limit: maxV1Messages }, network);
  if (answer.kind === 'failed') return answer;
  const records = isArray(answer.json) ? answer.json : [];
  const dates = records.flatMap((record) => dateOf(record) ?? []).sort((a, b) => a.getTime() - b.getTime());
  const oldest = dates[0] ?? null;
  return {
    kind: 'page',
    requests: records.flatMap((record) => listedOf(record, account, request)),
    nextCursor: null,
    knownFrom: oldest && oldest < request.from ? request.from : oldest,
  };
}

async function listV2(
  account: SendingAccount,
  request: MessageListRequest,
  network: SendingNetwork,
): Promise<MessageList> {
  const page = Number(request.cursor ?? '1');
  const answer = await find(account, pageOf(request.from, request.until, { page, offset: request.pageSize }), network);
  if (answer.kind === 'failed') return answer;
  const records = recordsOf(answer.json);
  const pages = Number(valueAt(answer.json, 'messages', 'pages') ?? 1);
  const isLast = page >= pages || records.length === 0;
  const knownFrom = isLast ? await reach(account, request, network, records) : null;
  if (knownFrom && 'kind' in knownFrom) return knownFrom;
  return {
    kind: 'page',
    requests: records.flatMap((record) => listedOf(record, account, request)),
    nextCursor: isLast ? null : String(page + 1),
    knownFrom,
  };
}

/** One message from before the span shows that the store reaches back over it; without one, its oldest in the span. */
async function reach(
  account: SendingAccount,
  request: MessageListRequest,
  network: SendingNetwork,
  lastPage: readonly JsonValue[],
): Promise<Date | null | Extract<MessageList, { kind: 'failed' }>> {
  const before = await find(account, pageOf(new Date(1_000), request.from, { page: 1, offset: 1 }), network);
  if (before.kind === 'failed') return before;
  if (recordsOf(before.json).length > 0) return request.from;
  const dates = lastPage.flatMap((record) => dateOf(record) ?? []);
  return dates.length === 0 ? null : new Date(Math.min(...dates.map((date) => date.getTime())));
}

function pageOf(from: Date, until: Date, place: { readonly page: number; readonly offset: number }): object {
  return { where: { messageTimestamp: { gte: from.toISOString(), lte: until.toISOString() } }, ...place };
}

function recordsOf(json: JsonValue): readonly JsonValue[] {
  const records = valueAt(json, 'messages', 'records');
  return isArray(records) ? records : [];
}

type Found = { readonly kind: 'read'; readonly json: JsonValue } | Extract<MessageList, { kind: 'failed' }>;

async function find(account: SendingAccount, body: object, network: SendingNetwork): Promise<Found> {
  const { apiKey } = account.credentials;
  const { instance } = account.settings;
  if (!apiKey || !instance) return failed('account-incomplete', 'the account lacks its API key or its instance');
  const answer = await callProvider(
    {
      method: 'POST',
      path: `/chat/findMessages/${encodeURIComponent(instance)}`,
      headers: { apikey: apiKey, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
    },
    network,
  );
  if (answer.kind !== 'answered') return { kind: 'failed', failure: answer.failure };
  const parsed = parseJson(answer.body);
  if (answer.status >= 200 && answer.status < 300 && parsed.ok) return { kind: 'read', json: parsed.value };
  const judged = judgeBareAnswer(answer, Date.now());
  return judged.kind === 'sent'
    ? failed('answer-unreadable', 'no message list')
    : { kind: 'failed', failure: judged.failure };
}

/** The message as `messages.upsert` brings it, and of our own what was told of it since, as `messages.update`. */
function listedOf(
  record: JsonValue,
  account: SendingAccount,
  { from, until }: MessageListRequest,
): readonly ListedRequest[] {
  const at = dateOf(record);
  if (!isObject(record) || !at || at < from || at >= until) return [];
  const { MessageUpdate: updates, ...message } = record;
  const { instance = '' } = account.settings;
  const event = (name: string, data: JsonObject): ListedRequest => ({
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, query: '', at },
    body: Buffer.from(JSON.stringify({ event: name, instance, data })),
  });
  const told = isArray(updates) && valueAt(record, 'key', 'fromMe') === true ? updates : [];
  return [
    event('messages.upsert', message),
    ...told.flatMap((update) => {
      const status = textAt(update, 'status');
      const keyId = idAt(record, 'key', 'id');
      const remoteJid = textAt(record, 'key', 'remoteJid');
      return status && keyId && remoteJid ? [event('messages.update', { keyId, remoteJid, fromMe: true, status })] : [];
    }),
  ];
}

/** Seconds; as a number, or as text where the store holds it so. */
function dateOf(record: JsonValue): Date | null {
  const seconds = Number(valueAt(record, 'messageTimestamp') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? new Date(seconds * 1_000) : null;
}

function failed(code: string, detail: string): Extract<MessageList, { kind: 'failed' }> {
  const failure: Failure = { code, detail, retry: { kind: 'later' }, isCertain: true };
  return { kind: 'failed', failure };
}
