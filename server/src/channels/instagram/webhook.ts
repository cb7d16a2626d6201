/**
 * The app's subscription to an account: which fields are sent. Where to, stands in the app's dashboard and is not told
 * here. Source: Meta, "Instagram platform: webhooks", `/{id}/subscribed_apps`.
 */
import { done } from '#kernel';
import type { SendingAccount, SendingNetwork } from '../channel.ts';
import { askGraph, type GraphQuestion } from '../graph/graph-ask.ts';
import { arrayAt } from '../reading/index.ts';
import type { WebhookAbility } from '../webhook-ability.ts';
import { defaultGraphVersion } from './capabilities.ts';
import { instagramErrors } from './errors.ts';

export const instagramWebhook: WebhookAbility = {
  sets: 'events',

  async find(account, network) {
    const answer = await ask(account, network, { method: 'GET' });
    if (!answer.ok) return answer;
    const subscribed = arrayAt(answer.value, 'data').flatMap((app) => arrayAt(app, 'subscribed_fields'));
    const events = [...new Set(subscribed.filter((field) => typeof field === 'string'))];
    return done({ url: null, isEnabled: events.length > 0, events, level: 'app', kept: null });
  },

  async set(account, { events }, network) {
    const answer = await subscribe(account, events, network);
    return answer.ok ? done(null) : answer;
  },

  async restore(account, { before }, network) {
    const events = before.events ?? [];
    const isNone = events.length === 0;
    const answer = isNone
      ? await ask(account, network, { method: 'DELETE' })
      : await subscribe(account, events, network);
    return answer.ok ? done(null) : answer;
  },
};

function subscribe(account: SendingAccount, fields: readonly string[], network: SendingNetwork) {
  return ask(account, network, { method: 'POST', query: { subscribed_fields: fields.join(',') } });
}

function ask(account: SendingAccount, network: SendingNetwork, question: Omit<GraphQuestion, 'object'>) {
  const object = [account.settings.instagramId ?? '', 'subscribed_apps'];
  const version = account.settings.graphVersion || defaultGraphVersion;
  return askGraph(account, { ...question, object }, { errors: instagramErrors, version }, network);
}
