/**
 * Sends by the companion: `POST /sessions/{session}/messages {id, to, content, replyTo?}` → `201 {messageId, timestamp}`,
 * errors `{error: {code, message}}`. `id` is our attempt: the companion sends under it, and each only once.
 */
import type { Failure, OutboundContent, Retry } from '@switchyard/contract';
import type { SendingAccount, SendingNetwork, SendOutcome, SendRequest } from '../channel.ts';
import { checkContent, refusedContent } from '../graph/content-limits.ts';
import { type CompleteAnswer, callProvider, judgeBareAnswer, later } from '../http/index.ts';
import { numberedText } from '../numbered/index.ts';
import { idAt, isObject, type JsonValue, parseJson, present, textAt } from '../reading/index.ts';
import { webjsCapabilities } from './capabilities.ts';
import { bareMessageId } from './message-id.ts';

export async function sendByCompanion(
  account: SendingAccount,
  request: SendRequest,
  network: SendingNetwork,
): Promise<SendOutcome> {
  const refusal = checkContent(request.content, webjsCapabilities);
  if (refusal) return refusal;
  const to = recipientOf(request.to);
  if (!to) return refusedContent('address-unusable', 'there is no phone, wa_id or LID to send to');
  const content = withoutMenus(request.content);
  if (content.type === 'text' && content.text.length > webjsCapabilities.maxTextLength) {
    return refusedContent('content-over-limit', 'the menu as text is too long');
  }
  const replyTo = request.replyTo === undefined ? undefined : { id: request.replyTo };
  const body = present({ id: request.attemptId, to, content, replyTo });
  return call(account, network, { path: 'messages', body, readSuccess: readSent });
}

/** With the chat where it is known: the web client marks a chat. */
export async function markCompanionRead(
  account: SendingAccount,
  providerMessageId: string,
  network: SendingNetwork,
  chat: SendRequest['to'] = [],
): Promise<SendOutcome> {
  const body = { messageId: providerMessageId, ...recipientOf(chat) };
  return call(account, network, { path: 'read', body, readSuccess: () => ({ kind: 'sent', providerMessageId }) });
}

interface Recipient {
  readonly chatId?: string;
  readonly phone?: string;
  readonly lid?: string;
}

/** All that is known: the companion picks, since only it sees which of them WhatsApp still answers to. */
function recipientOf(addresses: SendRequest['to']): Recipient | undefined {
  const find = (kind: string) => addresses.find((address) => address.kind === kind)?.value;
  const digits = (find('phone') ?? find('wa_id'))?.replace(/\D/g, '');
  const lid = find('lid');
  if (!digits && !lid) return undefined;
  return present({
    chatId: digits ? `${digits}@c.us` : undefined,
    phone: digits ? `+${digits}` : undefined,
    lid: lid === undefined || lid.includes('@') ? lid : `${lid}@lid`,
  });
}

function withoutMenus(content: OutboundContent): OutboundContent {
  return content.type === 'buttons' || content.type === 'list'
    ? { type: 'text', text: numberedText(content) }
    : content;
}

interface CompanionCall {
  readonly path: string;
  readonly body: object;
  readonly readSuccess: (json: JsonValue) => SendOutcome | undefined;
}

async function call(account: SendingAccount, network: SendingNetwork, request: CompanionCall): Promise<SendOutcome> {
  const { session } = account.settings;
  if (!session) return refusedContent('account-incomplete', 'the account lacks its session');
  const { apiKey } = account.credentials;
  const answer = await callProvider(
    {
      method: 'POST',
      path: `/sessions/${encodeURIComponent(session)}/${request.path}`,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
      },
      body: JSON.stringify(request.body),
    },
    network,
  );
  return answer.kind === 'answered' ? judge(answer, request) : answer;
}

function judge(answer: CompleteAnswer, { readSuccess }: CompanionCall): SendOutcome {
  const nowMs = Date.now();
  const parsed = parseJson(answer.body);
  const isSuccess = answer.status >= 200 && answer.status < 300;
  if (isSuccess) return readSuccess(parsed.ok ? parsed.value : null) ?? judgeBareAnswer(answer, nowMs);
  const error = parsed.ok && isObject(parsed.value) ? parsed.value.error : undefined;
  const code = textAt(error, 'code');
  const known = code === undefined || !Object.hasOwn(errors, code) ? undefined : errors[code];
  if (!known || code === undefined) return judgeBareAnswer(answer, nowMs);
  const retry = known.retry.kind === 'later' ? later(answer, nowMs, known.retry.afterMs) : known.retry;
  const detail = textAt(error, 'message') || known.detail;
  const failure: Failure = { code: known.code, detail, retry, isCertain: true, providerCode: code };
  return { kind: known.kind, failure };
}

interface CompanionError {
  readonly kind: 'refused' | 'unreachable';
  readonly code: string;
  readonly detail: string;
  readonly retry: Retry;
}

const hourMs = 60 * 60_000;

/** The companion's error codes. Each says that nothing was sent. */
const errors: Readonly<Record<string, CompanionError>> = {
  not_on_whatsapp: {
    kind: 'refused',
    code: 'recipient-unreachable',
    detail: 'the number is not on WhatsApp',
    retry: { kind: 'never' },
  },
  not_connected: {
    kind: 'unreachable',
    code: 'not-connected',
    detail: 'the session is not connected',
    retry: { kind: 'later' },
  },
  // WhatsApp bars the number from writing to new people (its error 463); how long, it says in the message at most.
  restricted: {
    kind: 'refused',
    code: 'account-restricted',
    detail: 'WhatsApp bars this number from writing to new contacts',
    retry: { kind: 'later', afterMs: hourMs },
  },
  // The cap on messages (its error 475).
  quota: {
    kind: 'refused',
    code: 'rate-limited',
    detail: 'the number has reached its cap of messages',
    retry: { kind: 'later', afterMs: hourMs },
  },
  unauthorized: {
    kind: 'refused',
    code: 'credentials-refused',
    detail: 'the companion refused the key',
    retry: { kind: 'never' },
  },
  not_found: {
    kind: 'refused',
    code: 'session-missing',
    detail: 'the companion has no such session',
    retry: { kind: 'never' },
  },
  invalid: {
    kind: 'refused',
    code: 'request-invalid',
    detail: 'the companion refused the message',
    retry: { kind: 'never' },
  },
};

function readSent(json: JsonValue): SendOutcome | undefined {
  const providerMessageId = idAt(json, 'messageId');
  return providerMessageId === undefined
    ? undefined
    : { kind: 'sent', providerMessageId: bareMessageId(providerMessageId) };
}
