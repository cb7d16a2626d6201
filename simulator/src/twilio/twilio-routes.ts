/** Twilio's door: Messages of the 2010 API and the Content API, both behind Basic authentication. */
import { type Doorkeeper, visit } from '../faults/door.ts';
import { type Exchange, jsonReply, type Reply, segmentsOf } from '../http/exchange.ts';
import type { SimNumber } from '../world/number.ts';
import { isFields, jsonOf } from '../world/read.ts';
import { addressOf, sid } from './addresses.ts';
import { presentMessage, type TwilioMessage } from './message-store.ts';
import { twilioError } from './twilio-errors.ts';
import { sendTwilio, type TwilioStores, twilioDialect } from './twilio-send.ts';
import { senderRoute, serviceRoute } from './webhook-routes.ts';

const DEFAULT_PAGE_SIZE = 50;
const PAGE_SIZE_LIMIT = 1_000;
const DAY_MS = 86_400_000;

export function createTwilioHandler(keeper: Doorkeeper, stores: TwilioStores) {
  const { world } = keeper;
  const dialect = twilioDialect(world);

  return (exchange: Exchange): Reply | null | Promise<Reply | null> => {
    const segments = segmentsOf(exchange.path);
    if (segments[0] === 'v1' && segments[1] === 'Content') return contentRoute(exchange, segments[2]);
    const isSenders = segments[0] === 'v2' && segments[1] === 'Channels' && segments[2] === 'Senders';
    if (isSenders) return webhookCall(exchange, (numbers) => senderRoute(exchange, numbers, segments[3]));
    if (segments[0] === 'v1' && segments[1] === 'Services')
      return webhookCall(exchange, (numbers) => serviceRoute(exchange, numbers, segments[2]));
    if (segments[0] !== '2010-04-01' || segments[1] !== 'Accounts') return twilioError('20404');
    const accountSid = (segments[2] ?? '').replace(/\.json$/, '');
    const numbers = authenticate(exchange).filter((number) => number.ids.accountSid === accountSid);
    if (numbers.length === 0) return twilioError('20003');
    const first = numbers[0]!;
    const resource = segments
      .slice(3)
      .join('/')
      .replace(/\.json$/, '');
    if (resource === '')
      return jsonReply(200, { sid: accountSid, friendly_name: first.name, status: 'active', type: 'Full' });
    if (resource === 'Messages')
      return exchange.method === 'POST' ? send(exchange, numbers) : list(exchange, accountSid);
    const [, messageSid = '', , mediaSid] = resource.split('/');
    return messageRoute(exchange, messageSid.replace(/\.json$/, ''), resource, mediaSid);
  };

  /** Of messaging.twilio.com; the stand-in has one port for both hosts. */
  function webhookCall(
    exchange: Exchange,
    route: (numbers: readonly SimNumber[]) => Reply | null,
  ): Reply | null | Promise<Reply | null> {
    const numbers = authenticate(exchange);
    const [number] = numbers;
    if (!number) return twilioError('20003');
    return visit(keeper, {
      exchange,
      number,
      dialect,
      operation: 'call',
      work: (fault) => {
        const reply = route(numbers) ?? twilioError('20404');
        const what = `${exchange.method} ${exchange.path}`;
        const entry = { kind: 'call', provider: 'twilio', number: number.number, what, status: reply.status } as const;
        world.ledger.add(world.clock.now(), { ...entry, ...(fault ? { fault } : {}) });
        return { reply };
      },
    });
  }

  function send(exchange: Exchange, numbers: readonly SimNumber[]): Reply | null | Promise<Reply | null> {
    const form = new URLSearchParams(exchange.body.toString('utf8'));
    const from = form.get('From');
    const number = from === null ? numbers[0] : numbers.find((each) => addressOf(each) === from);
    if (!number) return unknownSender(numbers[0]!, exchange);
    return visit(keeper, {
      exchange,
      number,
      dialect,
      operation: 'send',
      customer: (form.get('To') ?? '').replace(/\D/g, ''),
      work: (fault) => sendTwilio(world, number, form, stores, exchange.body, fault),
    });
  }

  function unknownSender(number: SimNumber, exchange: Exchange): Reply {
    const reply = twilioError('63007');
    world.ledger.add(
      world.clock.now(),
      { kind: 'refusal', provider: 'twilio', number: number.number, status: reply.status, code: '63007' },
      exchange.body,
    );
    return reply;
  }

  /** Basic: account sid and auth token, or an API key and its secret. */
  function authenticate(exchange: Exchange): SimNumber[] {
    const header = exchange.headers.authorization ?? '';
    if (!header.startsWith('Basic ')) return [];
    const [user = '', password = ''] = Buffer.from(header.slice(6), 'base64').toString('utf8').split(':');
    return world.registry.list('twilio').filter((number) => {
      const { authToken, apiKey, apiSecret } = number.secrets;
      if (apiKey !== undefined && user === apiKey) return apiSecret === undefined || password === apiSecret;
      return user === number.ids.accountSid && (authToken === undefined || password === authToken);
    });
  }

  function list(exchange: Exchange, accountSid: string): Reply {
    const query = new URLSearchParams(exchange.query);
    const size = Math.min(
      PAGE_SIZE_LIMIT,
      Math.max(1, Number(query.get('PageSize') ?? DEFAULT_PAGE_SIZE) || DEFAULT_PAGE_SIZE),
    );
    const page = Math.max(0, Number(query.get('Page') ?? 0) || 0);
    const found = stores.messages.find({ accountSid, to: query.get('To'), from: query.get('From'), ...datesOf(query) });
    const start = page * size;
    const messages = found.slice(start, start + size);
    const uri = (number: number) => pageUri(exchange.path, query, size, number);
    return jsonReply(200, {
      messages: messages.map(presentMessage),
      first_page_uri: uri(0),
      next_page_uri: start + size < found.length ? uri(page + 1) : null,
      previous_page_uri: page > 0 ? uri(page - 1) : null,
      uri: uri(page),
      page,
      page_size: size,
      start,
      end: start + Math.max(0, messages.length - 1),
    });
  }

  function messageRoute(exchange: Exchange, messageSid: string, resource: string, mediaSid: string | undefined): Reply {
    const message = stores.messages.get(messageSid);
    if (!message) return twilioError('20404');
    if (mediaSid) return mediaReply(message, mediaSid);
    if (resource.endsWith('/Media'))
      return jsonReply(200, { media_list: message.media.map((file) => mediaOf(message, file.id)) });
    if (exchange.method === 'DELETE') {
      stores.messages.delete(messageSid);
      return { status: 204, body: '' };
    }
    return jsonReply(200, presentMessage(message));
  }

  function mediaReply(message: TwilioMessage, mediaSid: string): Reply {
    const file = message.media.find((each) => `ME${each.id}` === mediaSid.replace(/\.json$/, ''));
    if (!file) return twilioError('20404');
    if (mediaSid.endsWith('.json')) return jsonReply(200, mediaOf(message, file.id));
    return { status: 200, body: file.bytes, contentType: file.mimeType };
  }

  function contentRoute(exchange: Exchange, contentSid: string | undefined): Reply {
    if (authenticate(exchange).length === 0) return twilioError('20003');
    if (contentSid === undefined) return createContent(exchange);
    const content = stores.contents.get(contentSid);
    if (!content) return twilioError('20404');
    if (exchange.method !== 'DELETE') return jsonReply(200, content);
    stores.contents.delete(contentSid);
    return { status: 204, body: '' };
  }

  function createContent(exchange: Exchange): Reply {
    const body = jsonOf(exchange.body.toString('utf8'));
    if (exchange.method !== 'POST' || !isFields(body) || !isFields(body.types)) return twilioError('20001');
    const content = {
      ...body,
      sid: sid(world.random, 'HX'),
      date_created: new Date(world.clock.now()).toISOString(),
    };
    stores.contents.put(content.sid, content);
    return jsonReply(201, content);
  }
}

/** `DateSent=2026-01-02` is a day; `DateSent>=` and `DateSent<=` are bounds (days or instants). */
function datesOf(query: URLSearchParams): { sinceMs: number; untilMs: number } {
  const day = query.get('DateSent');
  if (day !== null) return { sinceMs: Date.parse(day), untilMs: Date.parse(day) + DAY_MS };
  const since = query.get('DateSent>') ?? query.get('DateSentAfter');
  const until = query.get('DateSent<') ?? query.get('DateSentBefore');
  return {
    sinceMs: since === null ? 0 : Date.parse(since),
    untilMs: until === null ? Number.MAX_SAFE_INTEGER : Date.parse(until) + (until.includes('T') ? 1 : DAY_MS),
  };
}

function pageUri(path: string, query: URLSearchParams, size: number, page: number): string {
  const next = new URLSearchParams(query);
  next.set('PageSize', String(size));
  next.set('Page', String(page));
  return `${path}?${next.toString()}`;
}

function mediaOf(message: TwilioMessage, fileId: string): Record<string, unknown> {
  return {
    sid: `ME${fileId}`,
    account_sid: message.accountSid,
    parent_sid: message.sid,
    content_type: message.media.find((file) => file.id === fileId)?.mimeType,
    uri: `/2010-04-01/Accounts/${message.accountSid}/Messages/${message.sid}/Media/ME${fileId}.json`,
  };
}
