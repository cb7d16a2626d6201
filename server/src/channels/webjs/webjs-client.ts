/**
 * Sends by the companion: `POST /sessions/{session}/messages {id, to, content, replyTo?}` → `201 {messageId, timestamp}`,
 * errors `{error: {code, message}}`. `id` is our attempt: the companion sends under it, and each only once.
 */
import type { Failure, OutboundContent } from '@switchyard/contract';
import type { SendingAccount, SendingNetwork, SendOutcome, SendRequest } from '../channel.ts';
import { checkContent, refusedContent } from '../graph/content-limits.ts';
import { type CompleteAnswer, callProvider, judgeBareAnswer, later } from '../http/index.ts';
import { numberedText } from '../numbered/index.ts';
import { idAt, type JsonValue, parseJson, present } from '../reading/index.ts';
import { webjsCapabilities } from './capabilities.ts';
import { companionErrorOf } from './companion-errors.ts';
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
  const known = companionErrorOf(parsed.ok ? parsed.value : null);
  if (!known) return judgeBareAnswer(answer, nowMs);
  const retry = known.retry.kind === 'later' ? later(answer, nowMs, known.retry.afterMs) : known.retry;
  const { code, detail, providerCode } = known;
  const failure: Failure = { code, detail, retry, isCertain: true, providerCode };
  return { kind: known.kind, failure };
}

function readSent(json: JsonValue): SendOutcome | undefined {
  const providerMessageId = idAt(json, 'messageId');
  return providerMessageId === undefined
    ? undefined
    : { kind: 'sent', providerMessageId: bareMessageId(providerMessageId) };
}
