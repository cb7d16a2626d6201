/** The Graph API's door: WhatsApp and Instagram on one port, as on graph.facebook.com and graph.instagram.com. */
import { type Doorkeeper, visit } from '../faults/door.ts';
import { type Exchange, jsonReply, type Reply, segmentsOf } from '../http/exchange.ts';
import type { SimNumber } from '../world/number.ts';
import { type Fields, isFields, jsonOf } from '../world/read.ts';
import { graphError } from './error-table.ts';
import { instagramDialect, sendInstagram } from './instagram-send.ts';
import { mediaObject, serveMedia, uploadMedia } from './media-routes.ts';
import { numberObject, templatesOf, wabaNumbers } from './objects.ts';
import { overrideNumber, subscribedApps } from './webhook-edges.ts';
import { markRead, sendWhatsapp, whatsappDialect } from './whatsapp-send.ts';

const VERSION = /^v\d+(\.\d+)?$/;

export function createGraphHandler(keeper: Doorkeeper) {
  const dialects = { meta: whatsappDialect(keeper.world), instagram: instagramDialect(keeper.world) };
  const unknownObject = (id: string): Reply =>
    graphError(
      {
        code: '100',
        details: `Unsupported request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation`,
      },
      keeper.world.random,
      'whatsapp',
    );

  return (exchange: Exchange): Reply | null | Promise<Reply | null> => {
    const segments = segmentsOf(exchange.path);
    if (segments[0] && VERSION.test(segments[0])) segments.shift();
    const [id = '', edge] = segments;
    if (id === 'media' && edge) return serveMedia(keeper.world, exchange, edge, 'token');
    if (id === 'cdn' && edge) return serveMedia(keeper.world, exchange, edge, 'open');
    const token = bearerOf(exchange);
    if (token === null) return graphError({ code: '0' }, keeper.world.random, 'whatsapp');
    const number = findNumber(keeper, id, token);
    if (!number) return mediaObject(keeper.world, exchange, id) ?? unknownObject(id);
    if (!isTokenOf(number, token)) return graphError({ code: '190' }, keeper.world.random, productOf(number));
    if (edge === 'messages' && exchange.method === 'POST') return sendTo(number, exchange);
    return visitEdge(number, id, edge, exchange) ?? unknownObject(`${id}/${edge ?? ''}`);
  };

  function sendTo(number: SimNumber, exchange: Exchange): Reply | null | Promise<Reply | null> {
    const body = jsonOf(exchange.body.toString('utf8'));
    const dialect = number.provider === 'instagram' ? dialects.instagram : dialects.meta;
    if (!isFields(body)) {
      return graphError(
        { code: '100', details: 'Invalid JSON in request body' },
        keeper.world.random,
        productOf(number),
      );
    }
    const isRead = body.status === 'read' && number.provider === 'meta';
    const customer = addressOf(body);
    return visit(keeper, {
      exchange,
      number,
      dialect,
      operation: isRead || typeof body.sender_action === 'string' ? 'read' : 'send',
      ...(customer ? { customer } : {}),
      work: (fault) => {
        if (isRead) return markRead(keeper.world, number, body, exchange.body, fault);
        const send = number.provider === 'instagram' ? sendInstagram : sendWhatsapp;
        return send(keeper.world, number, body, exchange.body, fault);
      },
    });
  }

  function visitEdge(
    number: SimNumber,
    id: string,
    edge: string | undefined,
    exchange: Exchange,
  ): Reply | null | Promise<Reply | null> {
    const answer = edgeOf(keeper, number, id, edge, exchange);
    if (!answer) return null;
    const dialect = number.provider === 'instagram' ? dialects.instagram : dialects.meta;
    return answer.then((reply) =>
      visit(keeper, {
        exchange,
        number,
        dialect,
        operation: edge === 'media' ? 'media' : 'call',
        work: (fault) => {
          keeper.world.ledger.add(keeper.world.clock.now(), {
            kind: 'call',
            provider: number.provider,
            number: number.number,
            what: `${exchange.method} ${edge ?? 'object'}`,
            status: reply.status,
            ...(fault ? { fault } : {}),
          });
          return { reply };
        },
      }),
    );
  }
}

/** What an object of the graph answers beside messages; null where there is no such edge. */
function edgeOf(
  keeper: Doorkeeper,
  number: SimNumber,
  id: string,
  edge: string | undefined,
  exchange: Exchange,
): Promise<Reply> | null {
  const { world } = keeper;
  const isGet = exchange.method === 'GET';
  switch (edge) {
    case undefined:
      return isGet
        ? Promise.resolve(numberObject(number, id, new URLSearchParams(exchange.query).get('fields')))
        : overrideNumber(world, number, exchange);
    case 'media':
      return Promise.resolve(uploadMedia(world, exchange));
    case 'subscribed_apps':
      return subscribedApps(world, number, exchange);
    case 'phone_numbers':
      return Promise.resolve(wabaNumbers(world, id));
    case 'message_templates':
      return Promise.resolve(templatesOf(number));
    case 'register':
    case 'deregister':
    case 'smb_app_data':
      return Promise.resolve(jsonReply(200, { success: true }));
    default:
      return null;
  }
}

function addressOf(body: Fields): string | null {
  const { to, recipient } = body;
  if (typeof to === 'string') return to.replace(/\D/g, '');
  if (typeof recipient === 'string') return recipient;
  return isFields(recipient) && typeof recipient.id === 'string' ? recipient.id : null;
}

function bearerOf(exchange: Exchange): string | null {
  const header = exchange.headers.authorization;
  if (header?.startsWith('Bearer ') && header.length > 7) return header.slice(7);
  return new URLSearchParams(exchange.query).get('access_token');
}

/** A number that was given no access token takes any. */
function isTokenOf(number: SimNumber, token: string): boolean {
  const expected = number.secrets.accessToken;
  return expected === undefined || expected === token;
}

function findNumber(keeper: Doorkeeper, id: string, token: string): SimNumber | undefined {
  const { registry } = keeper.world;
  if (id === 'me') return registry.list('instagram').find((number) => number.secrets.accessToken === token);
  return (
    registry.findById('phoneNumberId', id) ?? registry.findById('instagramId', id) ?? registry.findById('wabaId', id)
  );
}

function productOf(number: SimNumber): 'whatsapp' | 'instagram' {
  return number.provider === 'instagram' ? 'instagram' : 'whatsapp';
}
