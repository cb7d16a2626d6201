/**
 * Reads Twilio's message list (2010-04-01, Messages resource: `To`, `From`, `DateSent>`, `DateSent<`, `PageSize`,
 * `next_page_uri`) for what came and what became of what we sent. A webhook of Twilio is repeated once at most, so this is
 * where a lost one is found. The list has the text and the files, not the taps: which button was pressed is not in it.
 */
import type { Failure } from '@switchyard/contract';
import type { ListedRequest, MessageList, MessageListRequest, SendingAccount, SendingNetwork } from '../channel.ts';
import { callProvider, judgeBareAnswer } from '../http/index.ts';
import { idAt, isArray, isObject, type JsonValue, parseJson, textAt, valueAt } from '../reading/index.ts';
import { basicAuthorization } from './authorization.ts';
import { listedAtParameter } from './inbound.ts';

/** First what came in, then what went out. A cursor is the leg and Twilio's own path of the page. */
const legs = ['in', 'out'] as const;
type Leg = (typeof legs)[number];

const maxPageSize = 1_000;
const formType = 'application/x-www-form-urlencoded; charset=UTF-8';
/** Of a message that went out, what a callback would have told by now. */
const toldStatuses = new Set(['sent', 'delivered', 'read', 'undelivered', 'failed', 'canceled']);

export async function listTwilioMessages(
  account: SendingAccount,
  request: MessageListRequest,
  network: SendingNetwork,
): Promise<MessageList> {
  const place = request.cursor === null ? firstPage(account, 'in', request) : parseCursor(request.cursor, account);
  if (!place)
    return failed('account-incomplete', 'the account lacks its account SID, or the cursor is not one of ours');
  const answer = await read(account, place.path, network);
  if (answer.kind === 'failed') return answer;
  const messages = itemsOf(answer.json, 'messages');
  const listed: ListedRequest[] = [];
  for (const message of messages) {
    if (!isOfSender(message, account)) continue;
    const files = await filesOf(account, message, network);
    if ('kind' in files) return files;
    const one = place.leg === 'in' ? inbound(message, files) : status(message);
    if (one && one.at >= request.from && one.at < request.until) listed.push(one);
  }
  const next = textAt(answer.json, 'next_page_uri');
  const nextCursor = next ? cursorOf(place.leg, next) : nextLeg(account, place.leg, request);
  return { kind: 'page', requests: listed, nextCursor, knownFrom: nextCursor === null ? request.from : null };
}

interface Place {
  readonly leg: Leg;
  readonly path: string;
}

function firstPage({ settings }: SendingAccount, leg: Leg, request: MessageListRequest): Place | null {
  if (!settings.accountSid) return null;
  const query = new URLSearchParams({
    ...(settings.sender ? { [leg === 'in' ? 'To' : 'From']: settings.sender } : {}),
    'DateSent>': request.from.toISOString(),
    'DateSent<': request.until.toISOString(),
    PageSize: String(Math.min(request.pageSize, maxPageSize)),
  });
  return { leg, path: `${listPath(settings.accountSid)}?${query.toString()}` };
}

function listPath(accountSid: string): string {
  return `/2010-04-01/Accounts/${encodeURIComponent(accountSid)}/Messages.json`;
}

function nextLeg(account: SendingAccount, leg: Leg, request: MessageListRequest): string | null {
  const next = legs[legs.indexOf(leg) + 1];
  const place = next && firstPage(account, next, request);
  return place ? cursorOf(place.leg, place.path) : null;
}

function cursorOf(leg: Leg, path: string): string {
  return `${leg} ${path}`;
}

/** Pages of this account's list only: what an answer names as next is not followed anywhere else. */
function parseCursor(cursor: string, { settings }: SendingAccount): Place | null {
  const [, leg, path] = /^(in|out) (\/.*)$/.exec(cursor) ?? [];
  if (!path?.startsWith(listPath(settings.accountSid ?? ''))) return null;
  return { leg: leg as Leg, path };
}

type Read = { readonly kind: 'read'; readonly json: JsonValue } | Extract<MessageList, { kind: 'failed' }>;

async function read(account: SendingAccount, path: string, network: SendingNetwork): Promise<Read> {
  const authorization = basicAuthorization(account);
  if (!authorization) return failed('account-incomplete', 'the account lacks its auth token');
  const answer = await callProvider(
    { method: 'GET', path, headers: { authorization, accept: 'application/json' } },
    network,
  );
  if (answer.kind !== 'answered') return { kind: 'failed', failure: answer.failure };
  const parsed = parseJson(answer.body);
  if (answer.status === 200 && parsed.ok && isObject(parsed.value)) return { kind: 'read', json: parsed.value };
  const judged = judgeBareAnswer(answer, Date.now());
  return judged.kind === 'sent'
    ? failed('answer-unreadable', 'no message list')
    : { kind: 'failed', failure: judged.failure };
}

/** A messaging service has several senders: only what went by it, or came to it, is this account's. */
function isOfSender(message: JsonValue, { settings }: SendingAccount): boolean {
  return settings.sender ? true : textAt(message, 'messaging_service_sid') === settings.messagingServiceSid;
}

type Files = readonly { readonly url: string; readonly type: string }[];

/** The webhook names a message's files, the list only counts them. */
async function filesOf(
  account: SendingAccount,
  message: JsonValue,
  network: SendingNetwork,
): Promise<Files | Extract<MessageList, { kind: 'failed' }>> {
  if (Number(idAt(message, 'num_media') ?? 0) === 0 || textAt(message, 'direction') !== 'inbound') return [];
  const path = textAt(message, 'subresource_uris', 'media');
  if (!path?.startsWith('/2010-04-01/')) return [];
  const answer = await read(account, path, network);
  if (answer.kind === 'failed') return answer;
  return itemsOf(answer.json, 'media_list').map((file) => ({
    url: `${network.baseUrl}${(textAt(file, 'uri') ?? '').replace(/\.json$/, '')}`,
    type: textAt(file, 'content_type') ?? '',
  }));
}

function inbound(message: JsonValue, files: Files): ListedRequest | null {
  const at = dateOf(message);
  const sid = textAt(message, 'sid');
  if (textAt(message, 'direction') !== 'inbound' || !at || !sid) return null;
  return asForm(at, {
    MessageSid: sid,
    SmsMessageSid: sid,
    SmsStatus: 'received',
    AccountSid: textAt(message, 'account_sid'),
    MessagingServiceSid: textAt(message, 'messaging_service_sid'),
    From: textAt(message, 'from'),
    To: textAt(message, 'to'),
    Body: textAt(message, 'body'),
    NumMedia: String(files.length),
    ...Object.fromEntries(
      files.flatMap(({ url, type }, index) => [
        [`MediaUrl${index}`, url],
        [`MediaContentType${index}`, type],
      ]),
    ),
    [listedAtParameter]: at.toISOString(),
  });
}

/** As its last callback. Which try it was is not in the list; the sid finds the message. */
function status(message: JsonValue): ListedRequest | null {
  const at = dateOf(message);
  const sid = textAt(message, 'sid');
  const word = textAt(message, 'status') ?? '';
  if (textAt(message, 'direction') === 'inbound' || !at || !sid || !toldStatuses.has(word)) return null;
  return asForm(at, {
    MessageSid: sid,
    SmsSid: sid,
    MessageStatus: word,
    SmsStatus: word,
    AccountSid: textAt(message, 'account_sid'),
    MessagingServiceSid: textAt(message, 'messaging_service_sid'),
    From: textAt(message, 'from'),
    To: textAt(message, 'to'),
    ErrorCode: idAt(message, 'error_code'),
    ErrorMessage: textAt(message, 'error_message'),
  });
}

function asForm(at: Date, fields: Readonly<Record<string, string | undefined>>): ListedRequest {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined && value !== '') form.set(name, value);
  return { method: 'POST', headers: { 'content-type': formType }, body: Buffer.from(form.toString()), at, query: '' };
}

function dateOf(message: JsonValue): Date | null {
  const atMs = Date.parse(textAt(message, 'date_sent') ?? textAt(message, 'date_created') ?? '');
  return Number.isNaN(atMs) ? null : new Date(atMs);
}

function itemsOf(json: JsonValue, name: string): readonly JsonValue[] {
  const list = valueAt(json, name);
  return isArray(list) ? list : [];
}

function failed(code: string, detail: string): Extract<MessageList, { kind: 'failed' }> {
  const failure: Failure = { code, detail, retry: { kind: 'later' }, isCertain: true };
  return { kind: 'failed', failure };
}
