/** Numbers, accounts and their webhooks as objects of the graph (providers.md 1.8). */
import { type Exchange, jsonReply, type Reply } from '../http/exchange.ts';
import type { SimNumber } from '../world/number.ts';
import { type Fields, isFields, jsonOf } from '../world/read.ts';
import type { World } from '../world/world.ts';
import { graphError } from './error-table.ts';
import { shakeHands } from './handshake.ts';

/** The longest callback address that Meta takes as an override. */
const OVERRIDE_LIMIT = 200;

export function numberObject(number: SimNumber, id: string): Reply {
  if (number.provider === 'instagram') {
    const instagramId = number.ids.instagramId ?? number.number;
    return jsonReply(200, { id: instagramId, user_id: instagramId, username: number.name, account_type: 'BUSINESS' });
  }
  if (id === number.ids.wabaId) return jsonReply(200, { id, name: number.name, currency: 'USD', timezone_id: '1' });
  return jsonReply(200, phoneObject(number));
}

function phoneObject(number: SimNumber): Fields {
  return {
    verified_name: number.name,
    code_verification_status: 'VERIFIED',
    display_phone_number: `+${number.digits}`,
    quality_rating: number.connection === 'open' ? 'GREEN' : 'RED',
    platform_type: 'CLOUD_API',
    throughput: { level: 'STANDARD' },
    status: number.connection === 'open' ? 'CONNECTED' : number.connection === 'banned' ? 'BANNED' : 'DISCONNECTED',
    webhook_configuration: { application: number.webhook.url },
    id: number.ids.phoneNumberId,
  };
}

export function wabaNumbers(world: World, wabaId: string): Reply {
  const numbers = world.registry.allById('wabaId', wabaId);
  return jsonReply(200, { data: numbers.map(phoneObject), paging: { cursors: { before: 'b', after: 'a' } } });
}

export function templatesOf(number: SimNumber): Reply {
  const data = (number.templates ?? []).map((template, index) => ({
    name: template.name,
    language: template.language ?? 'en_US',
    status: 'APPROVED',
    category: template.category ?? 'UTILITY',
    components: [{ type: 'BODY', text: template.body ?? template.name }],
    id: String(1_000_000_000_000 + index),
  }));
  return jsonReply(200, { data, paging: { cursors: { before: 'b', after: 'a' } } });
}

/** `POST /{phone_id} {webhook_configuration: {override_callback_uri, verify_token}}`: the number's own webhook. */
export async function overrideNumber(world: World, number: SimNumber, exchange: Exchange): Promise<Reply> {
  const body = jsonOf(exchange.body.toString('utf8'));
  const configuration = isFields(body) ? body.webhook_configuration : undefined;
  if (!isFields(configuration)) return jsonReply(200, { success: true });
  return changeWebhook(world, [number], configuration);
}

/** GET lists the app, POST may move the webhook of every number of the account, DELETE stops it. */
export async function subscribedApps(world: World, number: SimNumber, exchange: Exchange): Promise<Reply> {
  const numbers = number.provider === 'meta' ? world.registry.allById('wabaId', number.ids.wabaId ?? '') : [number];
  if (exchange.method === 'GET') return jsonReply(200, { data: [subscription(number)] });
  if (exchange.method === 'DELETE') {
    for (const each of numbers) each.webhook.url = null;
    return jsonReply(200, { success: true });
  }
  const body = jsonOf(exchange.body.toString('utf8'));
  if (isFields(body) && body.override_callback_uri) return changeWebhook(world, numbers, body);
  for (const each of numbers) each.webhook.url ??= each.webhookUrl;
  return jsonReply(200, { success: true });
}

function subscription(number: SimNumber): Fields {
  return {
    whatsapp_business_api_data: { link: 'https://example.com', name: 'Switchyard', id: '670000000000001' },
    ...(number.webhook.url ? { override_callback_uri: number.webhook.url } : {}),
  };
}

/** An empty address takes the override away; any other is tried with a handshake first. */
async function changeWebhook(world: World, numbers: readonly SimNumber[], fields: Fields): Promise<Reply> {
  const url = fields.override_callback_uri;
  const token = fields.verify_token;
  if (url === '') {
    for (const number of numbers) number.webhook.url = number.webhookUrl;
    return jsonReply(200, { success: true });
  }
  if (typeof url !== 'string' || url.length > OVERRIDE_LIMIT || !URL.canParse(url) || typeof token !== 'string') {
    return graphError(
      { code: '100', details: 'override_callback_uri or verify_token is not valid' },
      world.random,
      'whatsapp',
    );
  }
  const handshake = await shakeHands(world, url, token);
  if (!handshake.isVerified) {
    return graphError(
      { code: '100', details: `Callback verification failed: ${handshake.reason}` },
      world.random,
      'whatsapp',
    );
  }
  for (const number of numbers) number.webhook.url = url;
  return jsonReply(200, { success: true });
}
