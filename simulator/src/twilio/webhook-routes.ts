/**
 * What messaging.twilio.com answers about webhooks: the Senders API (v2, JSON) and messaging services (v1, forms). A
 * number in a service follows the service's address, unless that says to use the number's own.
 */
import { createHash } from 'node:crypto';
import { type Exchange, jsonReply, type Reply } from '../http/exchange.ts';
import type { SimNumber } from '../world/number.ts';
import { type Fields, isFields, jsonOf } from '../world/read.ts';
import { accountSidOf, addressOf } from './addresses.ts';
import { twilioError } from './twilio-errors.ts';

const LARGEST_PAGE = 1_000;
const MEMBERS = [
  'callback_url',
  'callback_method',
  'fallback_url',
  'fallback_method',
  'status_callback_url',
  'status_callback_method',
] as const;

/** `numbers` are those that the caller's credentials open. Null where there is no such resource. */
export function senderRoute(
  exchange: Exchange,
  numbers: readonly SimNumber[],
  senderSid: string | undefined,
): Reply | null {
  if (senderSid === undefined) return exchange.method === 'GET' ? listSenders(exchange, numbers) : null;
  const number = numbers.find((each) => senderSidOf(each) === senderSid);
  if (!number) return twilioError('20404');
  if (exchange.method === 'GET') return jsonReply(200, presentSender(number));
  return exchange.method === 'POST' ? updateSender(exchange, number) : null;
}

function listSenders(exchange: Exchange, numbers: readonly SimNumber[]): Reply {
  const query = new URLSearchParams(exchange.query);
  if (query.get('Channel') !== 'whatsapp') return twilioError('20001');
  const size = Math.min(LARGEST_PAGE, Math.max(1, Number(query.get('PageSize') ?? 50) || 50));
  const page = Math.max(0, Number(query.get('Page') ?? 0) || 0);
  const url = (number: number) =>
    `https://messaging.twilio.com/v2/Channels/Senders?Channel=whatsapp&PageSize=${size}&Page=${number}`;
  const start = page * size;
  return jsonReply(200, {
    senders: numbers.slice(start, start + size).map(presentSender),
    meta: {
      page,
      page_size: size,
      first_page_url: url(0),
      previous_page_url: page > 0 ? url(page - 1) : null,
      next_page_url: start + size < numbers.length ? url(page + 1) : null,
      url: url(page),
      key: 'senders',
    },
  });
}

/** Changed members only; answered 202, since the real one tells WhatsApp afterwards. */
function updateSender(exchange: Exchange, number: SimNumber): Reply {
  const body = jsonOf(exchange.body.toString('utf8'));
  const webhook = isFields(body) ? body.webhook : undefined;
  if (!isFields(webhook)) return twilioError('20001');
  for (const member of MEMBERS) {
    const value = webhook[member];
    if (value === undefined) continue;
    const isFit = value === null || value === '' || (member.endsWith('_url') ? isHttpUrl(value) : isMethod(value));
    if (!isFit) return twilioError('20001');
    number.webhook.sender = { ...number.webhook.sender, [member]: value === '' ? null : value };
  }
  if (webhook.callback_url !== undefined) number.webhook.ownUrl = textOrNull(webhook.callback_url);
  direct(number);
  return jsonReply(202, presentSender(number));
}

function presentSender(number: SimNumber): Fields {
  const sid = senderSidOf(number);
  const none = Object.fromEntries(MEMBERS.map((member) => [member, member.endsWith('_method') ? 'POST' : null]));
  return {
    sid,
    sender_id: addressOf(number),
    status: number.connection === 'open' ? 'ONLINE' : 'OFFLINE',
    configuration: { waba_id: null },
    webhook: { ...none, ...number.webhook.sender, callback_url: ownUrlOf(number) },
    profile: { name: number.name },
    properties: { quality_rating: 'HIGH', messaging_limit: '1K Customers/24hr' },
    offline_reasons: null,
    url: `https://messaging.twilio.com/v2/Channels/Senders/${sid}`,
  };
}

/** Every number of the service has the same; the first one's is shown. */
export function serviceRoute(
  exchange: Exchange,
  numbers: readonly SimNumber[],
  serviceSid: string | undefined,
): Reply | null {
  const members = numbers.filter((number) => number.ids.messagingServiceSid === serviceSid);
  const [first] = members;
  if (serviceSid === undefined || !first) return twilioError('20404');
  if (exchange.method === 'POST') {
    const form = new URLSearchParams(exchange.body.toString('utf8'));
    const url = form.get('InboundRequestUrl');
    if (url && !isHttpUrl(url)) return twilioError('20001');
    for (const number of members) {
      const { service } = number.webhook;
      number.webhook.service = {
        url: url === null ? service.url : url || null,
        method: form.get('InboundMethod') ?? service.method,
        isOnNumber: (form.get('UseInboundWebhookOnNumber') ?? String(service.isOnNumber)) === 'true',
      };
      direct(number);
    }
  } else if (exchange.method !== 'GET') return null;
  return jsonReply(200, presentService(first, serviceSid));
}

function presentService(number: SimNumber, sid: string): Fields {
  const { service } = number.webhook;
  return {
    sid,
    account_sid: accountSidOf(number),
    friendly_name: number.name,
    inbound_request_url: service.url,
    inbound_method: service.method,
    fallback_url: null,
    fallback_method: 'POST',
    status_callback: null,
    use_inbound_webhook_on_number: service.isOnNumber,
    url: `https://messaging.twilio.com/v1/Services/${sid}`,
  };
}

function direct(number: SimNumber): void {
  const { service } = number.webhook;
  const isByService = number.ids.messagingServiceSid !== undefined && service.url !== null && !service.isOnNumber;
  number.webhook.url = isByService ? service.url : ownUrlOf(number);
}

function ownUrlOf(number: SimNumber): string | null {
  return number.webhook.ownUrl === undefined ? number.webhookUrl : number.webhook.ownUrl;
}

export function senderSidOf(number: SimNumber): string {
  return `XE${createHash('md5').update(addressOf(number)).digest('hex')}`;
}

function isHttpUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value);
}

function isMethod(value: unknown): boolean {
  return value === 'POST' || value === 'PUT';
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
