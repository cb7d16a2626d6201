/**
 * Sends by an Evolution server. It takes no id of ours, so an interrupted call stays uncertain until the message comes
 * back as an echo. An answer means accepted by the server, not sent.
 */
import type { SendingAccount, SendingNetwork, SendOutcome, SendRequest } from '../channel.ts';
import { checkContent, refusedContent } from '../graph/content-limits.ts';
import { type CompleteAnswer, callProvider, judgeBareAnswer } from '../http/index.ts';
import { idAt, isObject, type JsonValue, parseJson, present } from '../reading/index.ts';
import { evolutionCapabilities } from './capabilities.ts';
import { judgeSendRefusal } from './errors.ts';
import { type EvolutionVersion, messageRoute } from './message-json.ts';
import { chatOf } from './recipient.ts';

export async function sendByEvolution(
  account: SendingAccount,
  request: SendRequest,
  network: SendingNetwork,
): Promise<SendOutcome> {
  const refusal = checkContent(request.content, evolutionCapabilities);
  if (refusal) return refusal;
  const form = { version: versionOf(account), asText: account.settings.menus === 'text' };
  const route = messageRoute(request, form);
  if (!route.ok) return refusedContent(route.refusal.code, route.refusal.detail);
  return call(account, network, {
    method: 'POST',
    path: `/message/${route.value.name}`,
    body: route.value.body,
    readSuccess: readSent,
  });
}

/** The server marks by chat and id, so without a chat nothing can be marked. v1 asks by PUT and names the list otherwise. */
export async function markEvolutionRead(
  account: SendingAccount,
  providerMessageId: string,
  network: SendingNetwork,
  chat: SendRequest['to'] = [],
): Promise<SendOutcome> {
  const remoteJid = chatOf(chat);
  if (!remoteJid) return refusedContent('address-unusable', 'there is no chat to mark as read');
  const messages = [{ remoteJid, fromMe: false, id: providerMessageId }];
  const isV1 = versionOf(account) === 'v1';
  return call(account, network, {
    method: isV1 ? 'PUT' : 'POST',
    path: '/chat/markMessageAsRead',
    body: isV1 ? { read_messages: messages, readMessages: messages } : { readMessages: messages },
    readSuccess: (json) => (isObject(json) ? { kind: 'sent', providerMessageId } : undefined),
  });
}

interface EvolutionCall {
  readonly method: 'POST' | 'PUT';
  /** Without the instance, which is its last part. */
  readonly path: string;
  readonly body: object;
  readonly readSuccess: (json: JsonValue) => SendOutcome | undefined;
}

async function call(account: SendingAccount, network: SendingNetwork, request: EvolutionCall): Promise<SendOutcome> {
  const { apiKey } = account.credentials;
  const { instance } = account.settings;
  if (!apiKey || !instance)
    return refusedContent('account-incomplete', 'the account lacks its API key or its instance');
  const answer = await callProvider(
    {
      method: request.method,
      path: `${request.path}/${encodeURIComponent(instance)}`,
      headers: { apikey: apiKey, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(request.body),
    },
    network,
  );
  return answer.kind === 'answered' ? judge(answer, request) : answer;
}

function judge(answer: CompleteAnswer, { readSuccess }: EvolutionCall): SendOutcome {
  const nowMs = Date.now();
  const parsed = parseJson(answer.body);
  if (!parsed.ok) return judgeBareAnswer(answer, nowMs);
  if (answer.status >= 200 && answer.status < 300) return readSuccess(parsed.value) ?? judgeBareAnswer(answer, nowMs);
  return judgeSendRefusal(answer, parsed.value, nowMs);
}

function readSent(json: JsonValue): SendOutcome | undefined {
  const providerMessageId = idAt(json, 'key', 'id');
  if (providerMessageId === undefined) return undefined;
  return present({ kind: 'sent', providerMessageId, customerId: idAt(json, 'key', 'remoteJid') });
}

function versionOf(account: SendingAccount): EvolutionVersion {
  return account.settings.version === 'v1' ? 'v1' : 'v2';
}
