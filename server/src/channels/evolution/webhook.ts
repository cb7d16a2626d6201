/**
 * The webhook of an instance. Source: the server's webhook controller and schemas (1.x, 2.x). v1 takes flat snake_case,
 * 2.0 and 2.1 flat camelCase, 2.2 and newer the fields inside `webhook`. A disabled one keeps its URL but no events.
 */
import type { Failure } from '@switchyard/contract';
import { done, type Result, refused } from '#kernel';
import type { SendingAccount, SendingNetwork } from '../channel.ts';
import { askProvider } from '../http/ask-provider.ts';
import { arrayAt, flagAt, isObject, type JsonObject, type JsonValue, objectAt, textAt } from '../reading/index.ts';
import type { FoundWebhook, WebhookAbility } from '../webhook-ability.ts';
import { judgeRefusal } from './errors.ts';

/** Of v2 only: a server of v1 refuses a name that it does not know. */
const editedEvent = 'MESSAGES_EDITED';

interface Wanted {
  readonly url: string;
  readonly isEnabled: boolean;
  readonly isByEvents: boolean;
  readonly isBase64: boolean;
  readonly events: readonly string[];
  readonly headers: JsonObject;
}

export const evolutionWebhook: WebhookAbility = {
  sets: 'url',

  async find(account, network) {
    const answer = await ask(account, network, { method: 'GET', action: 'find' });
    return answer.ok ? done(readFound(answer.value)) : answer;
  },

  set(account, { url, events }, network) {
    const { webhookSecret } = account.credentials;
    return put(account, network, {
      url,
      isEnabled: true,
      isByEvents: false,
      isBase64: false,
      events: chosenEvents(account, events),
      headers: webhookSecret ? { 'x-webhook-secret': webhookSecret } : {},
    });
  },

  /** The server takes no webhook without a URL: where there was none, ours is switched off. */
  restore(account, { before, replaced }, network) {
    const { kept } = before;
    return put(account, network, {
      url: before.url ?? replaced.url ?? '',
      isEnabled: before.url !== null && before.isEnabled,
      isByEvents: flagAt(kept, 'webhookByEvents') || flagAt(kept, 'webhook_by_events'),
      isBase64: flagAt(kept, 'webhookBase64') || flagAt(kept, 'webhook_base64'),
      events: before.events ?? [],
      headers: objectAt(kept, 'headers') ?? {},
    });
  },
};

/** An edit belongs to the messages: whoever wants those wants these, where the server has them. */
function chosenEvents(account: SendingAccount, events: readonly string[]): readonly string[] {
  const others = events.filter((event) => event !== editedEvent);
  return isV1(account) ? others : [...others, editedEvent];
}

function readFound(json: JsonValue): FoundWebhook {
  // Some servers of v1 wrap the row.
  const row = objectAt(json, 'webhook') ?? (isObject(json) ? json : null);
  const url = textAt(row, 'url') || null;
  const events = arrayAt(row, 'events').filter((event) => typeof event === 'string');
  const isEnabled = url !== null && row?.enabled !== false;
  return { url, isEnabled, events, level: 'instance', kept: row };
}

/** The newer form first; a 2.0 or 2.1 refuses it with a 400 and is given the flat one. */
async function put(account: SendingAccount, network: SendingNetwork, wanted: Wanted): Promise<Result<null, Failure>> {
  const send = (body: JsonObject) => ask(account, network, { method: 'POST', action: 'set', body });
  const first = await send(isV1(account) ? flatV1(wanted) : nested(wanted));
  if (first.ok) return done(null);
  const isOfOlderV2 = !isV1(account) && first.refusal.providerCode === '400';
  const second = isOfOlderV2 ? await send(flatV2(wanted)) : first;
  return second.ok ? done(null) : first;
}

function nested(wanted: Wanted): JsonObject {
  const { url, headers } = wanted;
  const flags = { enabled: wanted.isEnabled, byEvents: wanted.isByEvents, base64: wanted.isBase64 };
  return { webhook: { ...flags, url, headers, events: [...wanted.events] } };
}

function flatV2({ url, isEnabled, isByEvents, isBase64, events }: Wanted): JsonObject {
  return { enabled: isEnabled, url, webhookByEvents: isByEvents, webhookBase64: isBase64, events: [...events] };
}

function flatV1({ url, isEnabled, isByEvents, isBase64, events }: Wanted): JsonObject {
  return { enabled: isEnabled, url, webhook_by_events: isByEvents, webhook_base64: isBase64, events: [...events] };
}

function isV1(account: SendingAccount): boolean {
  return account.settings.version === 'v1';
}

async function ask(
  account: SendingAccount,
  network: SendingNetwork,
  call: { readonly method: 'GET' | 'POST'; readonly action: 'find' | 'set'; readonly body?: JsonObject },
): Promise<Result<JsonValue, Failure>> {
  const { apiKey } = account.credentials;
  const { instance } = account.settings;
  if (!apiKey || !instance) return refused(incomplete);
  return askProvider(
    {
      method: call.method,
      path: `/webhook/${call.action}/${encodeURIComponent(instance)}`,
      headers: { apikey: apiKey, 'content-type': 'application/json', accept: 'application/json' },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    },
    network,
    (answer, json) => judgeRefusal(answer, json ?? null, Date.now()),
  );
}

const incomplete: Failure = {
  code: 'account-incomplete',
  detail: 'the account lacks its API key or its instance',
  retry: { kind: 'never' },
  isCertain: true,
};
