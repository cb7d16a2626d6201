/**
 * Where an app's webhooks go: a number's own override beats the business account's, and that the app's own address
 * (providers.md 1.8). Without a subscription nothing is sent at all.
 */
import { type Exchange, jsonReply, type Reply } from '../http/exchange.ts';
import type { SimNumber } from '../world/number.ts';
import { type Fields, isFields, jsonOf } from '../world/read.ts';
import type { World } from '../world/world.ts';
import { graphError } from './error-table.ts';
import { shakeHands } from './handshake.ts';

/** The longest callback address that Meta takes as an override. */
const OVERRIDE_LIMIT = 200;

export function webhookConfiguration(number: SimNumber): Fields {
  const { overrides } = number.webhook;
  return {
    ...(overrides.number ? { phone_number: overrides.number } : {}),
    ...(overrides.account ? { whatsapp_business_account: overrides.account } : {}),
    ...(number.webhookUrl ? { application: number.webhookUrl } : {}),
  };
}

/** `POST /{phone_id} {webhook_configuration: {override_callback_uri, verify_token}}`: the number's own webhook. */
export async function overrideNumber(world: World, number: SimNumber, exchange: Exchange): Promise<Reply> {
  const body = jsonOf(exchange.body.toString('utf8'));
  const configuration = isFields(body) ? body.webhook_configuration : undefined;
  if (!isFields(configuration)) return jsonReply(200, { success: true });
  return override(world, { level: 'number', numbers: [number] }, configuration);
}

/** GET lists the app, POST subscribes it and may move the webhook of every number of the account, DELETE ends it. */
export async function subscribedApps(world: World, number: SimNumber, exchange: Exchange): Promise<Reply> {
  if (number.provider === 'instagram') return subscribedFields(world, number, exchange);
  const numbers = world.registry.allById('wabaId', number.ids.wabaId ?? '');
  if (exchange.method === 'GET')
    return jsonReply(200, { data: number.webhook.isSubscribed ? [subscription(number)] : [] });
  if (exchange.method === 'DELETE') return subscribe(numbers, false);
  const body = jsonOf(exchange.body.toString('utf8'));
  const reply =
    isFields(body) && body.override_callback_uri !== undefined
      ? await override(world, { level: 'account', numbers }, body)
      : jsonReply(200, { success: true });
  return reply.status === 200 ? subscribe(numbers, true) : reply;
}

function subscription(number: SimNumber): Fields {
  const { account } = number.webhook.overrides;
  return {
    whatsapp_business_api_data: { link: 'https://example.com', name: 'Switchyard', id: '670000000000001' },
    ...(account ? { override_callback_uri: account } : {}),
  };
}

/** Instagram's is of the one account, and names the fields that are sent. */
function subscribedFields(world: World, number: SimNumber, exchange: Exchange): Reply {
  const { webhook } = number;
  if (exchange.method === 'GET') {
    const data = webhook.isSubscribed ? [{ id: '670000000000001', subscribed_fields: fieldsOf(number) }] : [];
    return jsonReply(200, { data });
  }
  if (exchange.method === 'DELETE') return subscribe([number], false);
  const fields = wantedFields(exchange);
  const wrong = fields.find((field) => !INSTAGRAM_FIELDS.has(field));
  if (fields.length === 0 || wrong !== undefined) {
    const details = `Param subscribed_fields must be non-empty and one of {${[...INSTAGRAM_FIELDS].join(', ')}}`;
    return graphError({ code: '100', details }, world.random, 'instagram');
  }
  webhook.events = fields;
  return subscribe([number], true);
}

/** What an app has that was set up before the stand-in heard of it. */
const USUAL_FIELDS = ['messages', 'messaging_postbacks', 'message_reactions', 'comments'] as const;

function fieldsOf(number: SimNumber): readonly string[] {
  return number.webhook.events.length > 0 ? number.webhook.events : USUAL_FIELDS;
}

function wantedFields(exchange: Exchange): string[] {
  const body = jsonOf(exchange.body.toString('utf8'));
  const inBody = isFields(body) ? body.subscribed_fields : undefined;
  const given = inBody ?? new URLSearchParams(exchange.query).get('subscribed_fields') ?? '';
  const names = Array.isArray(given) ? given.map(String) : typeof given === 'string' ? given.split(',') : [];
  return names.filter(Boolean);
}

const INSTAGRAM_FIELDS: ReadonlySet<string> = new Set([
  'comments',
  'live_comments',
  'mentions',
  'messages',
  'message_reactions',
  'messaging_handover',
  'messaging_optins',
  'messaging_postbacks',
  'messaging_referral',
  'messaging_seen',
  'standby',
  'story_insights',
]);

function subscribe(numbers: readonly SimNumber[], isSubscribed: boolean): Reply {
  for (const number of numbers) {
    number.webhook.isSubscribed = isSubscribed;
    direct(number);
  }
  return jsonReply(200, { success: true });
}

/** An empty address takes the override away; any other is tried with a handshake first. */
async function override(
  world: World,
  { level, numbers }: { readonly level: 'number' | 'account'; readonly numbers: readonly SimNumber[] },
  fields: Fields,
): Promise<Reply> {
  const url = fields.override_callback_uri;
  const refuse = (details: string) => graphError({ code: '100', details }, world.random, 'whatsapp');
  if (url !== '') {
    const token = fields.verify_token;
    if (typeof url !== 'string' || url.length > OVERRIDE_LIMIT || !URL.canParse(url) || typeof token !== 'string') {
      return refuse('override_callback_uri or verify_token is not valid');
    }
    const handshake = await shakeHands(world, url, token);
    if (!handshake.isVerified) return refuse(`Callback verification failed: ${handshake.reason}`);
  }
  for (const number of numbers) {
    number.webhook.overrides[level] = url === '' ? null : String(url);
    direct(number);
  }
  return jsonReply(200, { success: true });
}

/** The address that is in force. */
function direct(number: SimNumber): void {
  const { overrides, isSubscribed } = number.webhook;
  number.webhook.url = isSubscribed ? (overrides.number ?? overrides.account ?? number.webhookUrl) : null;
}
