/**
 * The webhook of a number. Source: Meta, "Webhooks overrides": a number's own callback beats the business account's, and
 * that the app's; a callback is tried with the GET challenge when it is set, has at most 200 characters, and is for the
 * field `messages`. Nothing comes at all unless the app is subscribed to the business account.
 */
import type { Failure } from '@switchyard/contract';
import { done, type Result, refused } from '#kernel';
import type { SendingAccount, SendingNetwork } from '../channel.ts';
import { askGraph, type GraphQuestion } from '../graph/graph-ask.ts';
import { arrayAt, flagAt, type JsonValue, objectAt, textAt } from '../reading/index.ts';
import type { FoundWebhook, WebhookAbility, WebhookLevel } from '../webhook-ability.ts';
import { defaultGraphVersion } from './capabilities.ts';
import { metaErrors } from './errors.ts';

const maxCallbackLength = 200;

export const metaWebhook: WebhookAbility = {
  sets: 'url',

  async find(account, network) {
    const number = await ask(account, network, { method: 'GET', object: [phoneOf(account)], query: { fields } });
    if (!number.ok) return number;
    const configuration = objectAt(number.value, 'webhook_configuration') ?? {};
    const isSubscribed = await findSubscription(account, network);
    if (!isSubscribed.ok) return isSubscribed;
    return done(readFound(configuration, isSubscribed.value));
  },

  async set(account, { url }, network) {
    if (url.length > maxCallbackLength)
      return refused(failureOf('url-too-long', `Meta takes at most ${maxCallbackLength} characters`));
    const subscribed = await subscribe(account, network);
    return subscribed.ok ? override(account, url, network) : subscribed;
  },

  /** An older callback is tried with the account's verify token, the only one we know; Meta says so if that is wrong. */
  async restore(account, { before }, network) {
    const url = before.level === 'number' ? (before.url ?? '') : '';
    const put = await override(account, url, network);
    const wasSubscribed = flagAt(before.kept, 'isSubscribed') || !account.settings.wabaId;
    if (!put.ok || wasSubscribed) return put;
    const ended = await ask(account, network, { method: 'DELETE', object: subscriptionsOf(account) });
    return ended.ok ? done(null) : ended;
  },
};

const fields = 'webhook_configuration';

function readFound(configuration: JsonValue, isSubscribed: boolean): FoundWebhook {
  const levels: readonly (readonly [WebhookLevel, string])[] = [
    ['number', 'phone_number'],
    ['business-account', 'whatsapp_business_account'],
    ['app', 'application'],
  ];
  const [level, name] = levels.find(([, one]) => textAt(configuration, one)) ?? ['app', 'application'];
  const url = textAt(configuration, name) || null;
  return { url, isEnabled: url !== null && isSubscribed, events: null, level, kept: { configuration, isSubscribed } };
}

/** Without a business account's id it cannot be asked; then it is taken for granted, as the app's set-up must have done it. */
async function findSubscription(account: SendingAccount, network: SendingNetwork): Promise<Result<boolean, Failure>> {
  if (!account.settings.wabaId) return done(true);
  const answer = await ask(account, network, { method: 'GET', object: subscriptionsOf(account) });
  return answer.ok ? done(arrayAt(answer.value, 'data').length > 0) : answer;
}

async function subscribe(account: SendingAccount, network: SendingNetwork): Promise<Result<null, Failure>> {
  if (!account.settings.wabaId) return done(null);
  const answer = await ask(account, network, { method: 'POST', object: subscriptionsOf(account) });
  return answer.ok ? done(null) : answer;
}

/** An empty URL takes the number's own callback away. */
async function override(account: SendingAccount, url: string, network: SendingNetwork): Promise<Result<null, Failure>> {
  const { verifyToken } = account.credentials;
  if (url !== '' && !verifyToken)
    return refused(failureOf('verify-token-missing', 'Meta tries the URL with a verify token: give the account one'));
  const webhook_configuration = {
    override_callback_uri: url,
    ...(verifyToken && url !== '' ? { verify_token: verifyToken } : {}),
  };
  const question = { method: 'POST', object: [phoneOf(account)], body: { webhook_configuration } } as const;
  const answer = await ask(account, network, question);
  return answer.ok ? done(null) : answer;
}

function ask(account: SendingAccount, network: SendingNetwork, question: GraphQuestion) {
  const version = account.settings.graphVersion || defaultGraphVersion;
  return askGraph(account, question, { errors: metaErrors, version }, network);
}

function phoneOf(account: SendingAccount): string {
  return account.settings.phoneNumberId ?? '';
}

function subscriptionsOf(account: SendingAccount): readonly string[] {
  return [account.settings.wabaId ?? '', 'subscribed_apps'];
}

function failureOf(code: string, detail: string): Failure {
  return { code, detail, retry: { kind: 'never' }, isCertain: true };
}
