/**
 * The webhook of a WhatsApp sender (Senders API v2, JSON) or of a messaging service (Services v1, forms); the service's
 * is used where it has one. Source: Twilio, "Senders API" and "Services resource". Both stand on messaging.twilio.com
 * beside api.twilio.com.
 *
 * Twilio repeats a webhook only where the connection failed; with `#rc=5&rp=all` behind the URL it repeats on every
 * failure, so that an answer of 503 loses nothing ("Webhooks: connection overrides"). It neither sends nor signs that part.
 */
import type { Failure } from '@switchyard/contract';
import { done, type Result, refused } from '#kernel';
import type { SendingAccount, SendingNetwork } from '../channel.ts';
import { askProvider } from '../http/ask-provider.ts';
import { arrayAt, isObject, type JsonObject, type JsonValue, objectAt, textAt, valueAt } from '../reading/index.ts';
import type { FoundWebhook, WebhookAbility } from '../webhook-ability.ts';
import { senderAddress } from './address.ts';
import { basicAuthorization } from './authorization.ts';
import { judgeTwilioRefusal } from './twilio-client.ts';

export const connectionOverrides = '#rc=5&rp=all';
/** Senders of one account looked through for ours. */
const sendersPerPage = 100;
const maxPages = 20;

export const twilioWebhook: WebhookAbility = {
  sets: 'url',
  find: (account, network) => (serviceOf(account) ? findService(account, network) : findSender(account, network)),

  set: (account, { url }, network) =>
    serviceOf(account)
      ? putService(account, network, {
          InboundRequestUrl: `${url}${connectionOverrides}`,
          InboundMethod: 'POST',
          UseInboundWebhookOnNumber: 'false',
        })
      : changeSender(account, network, (webhook) => ({
          ...webhook,
          callback_url: `${url}${connectionOverrides}`,
          callback_method: 'POST',
        })),

  restore: (account, { before: { kept } }, network) =>
    serviceOf(account)
      ? putService(account, network, {
          InboundRequestUrl: textAt(kept, 'inbound_request_url') ?? '',
          InboundMethod: textAt(kept, 'inbound_method') ?? 'POST',
          UseInboundWebhookOnNumber: String(valueAt(kept, 'use_inbound_webhook_on_number') === true),
        })
      : changeSender(account, network, (webhook) => ({
          ...webhook,
          callback_url: textAt(kept, 'callback_url') ?? '',
          callback_method: textAt(kept, 'callback_method') ?? 'POST',
        })),
};

async function findService(account: SendingAccount, network: SendingNetwork): Promise<Result<FoundWebhook, Failure>> {
  const answer = await ask(account, network, { method: 'GET', path: servicePath(account) });
  if (!answer.ok) return answer;
  const url = textAt(answer.value, 'inbound_request_url') || null;
  const isDeferred = valueAt(answer.value, 'use_inbound_webhook_on_number') === true;
  return done({
    url,
    isEnabled: url !== null && !isDeferred,
    events: null,
    level: 'messaging-service',
    kept: answer.value,
  });
}

async function putService(
  account: SendingAccount,
  network: SendingNetwork,
  form: Readonly<Record<string, string>>,
): Promise<Result<null, Failure>> {
  const body = new URLSearchParams(form).toString();
  const answer = await ask(account, network, { method: 'POST', path: servicePath(account), form: body });
  return answer.ok ? done(null) : answer;
}

async function findSender(account: SendingAccount, network: SendingNetwork): Promise<Result<FoundWebhook, Failure>> {
  const sender = await loadSender(account, network);
  if (!sender.ok) return sender;
  const webhook = objectAt(sender.value, 'webhook') ?? {};
  const url = textAt(webhook, 'callback_url') || null;
  return done({ url, isEnabled: url !== null, events: null, level: 'sender', kept: webhook });
}

/** The whole of the sender's webhook is sent back, so that its fallback and status callback stay. */
async function changeSender(
  account: SendingAccount,
  network: SendingNetwork,
  change: (webhook: JsonObject) => JsonObject,
): Promise<Result<null, Failure>> {
  const sender = await loadSender(account, network);
  if (!sender.ok) return sender;
  const path = `${sendersPath}/${encodeURIComponent(textAt(sender.value, 'sid') ?? '')}`;
  const json = { webhook: change(objectAt(sender.value, 'webhook') ?? {}) };
  const answer = await ask(account, network, { method: 'POST', path, json });
  return answer.ok ? done(null) : answer;
}

const sendersPath = '/v2/Channels/Senders';

async function loadSender(account: SendingAccount, network: SendingNetwork): Promise<Result<JsonObject, Failure>> {
  const wanted = senderAddress(account.settings.sender ?? '');
  let path: string | undefined = `${sendersPath}?Channel=whatsapp&PageSize=${sendersPerPage}`;
  for (let page = 0; page < maxPages && path !== undefined; page += 1) {
    const answer: Result<JsonValue, Failure> = await ask(account, network, { method: 'GET', path });
    if (!answer.ok) return answer;
    const senders = arrayAt(answer.value, 'senders').filter(isObject);
    const found = senders.find((sender) => textAt(sender, 'sender_id') === wanted);
    if (found) return done(found);
    path = pathOf(textAt(answer.value, 'meta', 'next_page_url'));
  }
  return refused(senderMissing);
}

/** Of the next page: its host is ours to choose. */
function pathOf(url: string | undefined): string | undefined {
  const next = url ? URL.parse(url) : null;
  return next ? `${next.pathname}${next.search}` : undefined;
}

interface TwilioQuestion {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly json?: JsonObject;
  readonly form?: string;
}

async function ask(
  account: SendingAccount,
  network: SendingNetwork,
  { method, path, json, form }: TwilioQuestion,
): Promise<Result<JsonValue, Failure>> {
  const authorization = basicAuthorization(account);
  if (!authorization) return refused(incomplete);
  const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  const body = form ?? (json && JSON.stringify(json));
  return askProvider(
    {
      method,
      path,
      headers: { authorization, accept: 'application/json', 'content-type': type },
      ...(body === undefined ? {} : { body }),
    },
    { ...network, baseUrl: messagingUrl(network.baseUrl) },
    judgeTwilioRefusal,
  );
}

/** `https://api.twilio.com`, and `api.dublin.ie1.twilio.com`, have their sibling; a stand-in serves both on one port. */
export function messagingUrl(baseUrl: string): string {
  return baseUrl.replace(/^(https?:\/\/)api\.((?:[\w-]+\.)*twilio\.com)(?=[:/]|$)/i, '$1messaging.$2');
}

function serviceOf(account: SendingAccount): string | undefined {
  return account.settings.messagingServiceSid || undefined;
}

function servicePath(account: SendingAccount): string {
  return `/v1/Services/${encodeURIComponent(serviceOf(account) ?? '')}`;
}

const senderMissing: Failure = {
  code: 'sender-missing',
  detail: 'Twilio lists no such WhatsApp sender in this account; the sandbox is set in its console only',
  retry: { kind: 'never' },
  isCertain: true,
};
const incomplete: Failure = {
  code: 'account-incomplete',
  detail: 'the account lacks its account SID or its auth token',
  retry: { kind: 'never' },
  isCertain: true,
};
