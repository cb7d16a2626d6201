/** The web companion's door. A key is wanted where the session was given one: `Authorization: Bearer` or `X-Api-Key`. */
import { type Doorkeeper, visit } from '../faults/door.ts';
import { type Exchange, jsonReply, type Reply, segmentsOf } from '../http/exchange.ts';
import type { SimNumber } from '../world/number.ts';
import { isFields, jsonOf, wordsOf } from '../world/read.ts';
import { type CompanionAnswers, companionError, sendCompanion, webjsDialect } from './webjs-send.ts';
import { sessionOf } from './webjs-stand.ts';

export function createWebjsHandler(keeper: Doorkeeper, answers: CompanionAnswers) {
  const { world } = keeper;
  const dialect = webjsDialect(world);

  return (exchange: Exchange): Reply | null | Promise<Reply | null> => {
    const [area, name = '', action, detail] = segmentsOf(exchange.path);
    if (area === 'api' && name === 'files' && action) return file(action);
    if (area !== 'sessions') return companionError('not_found', 'No such path');
    const number = world.registry.findById('session', name);
    if (!number) return companionError('not_found');
    if (!isAllowed(number, exchange)) return companionError('unauthorized');
    const route = `${exchange.method} ${action ?? ''}`;
    if (route === 'POST messages' && detail === undefined) return send(exchange, number);
    if (route === 'POST read') return read(exchange, number);
    if (route === 'POST numbers') return numbers(exchange);
    return sessionCall(exchange, number, route);
  };

  function send(exchange: Exchange, number: SimNumber): Reply | null | Promise<Reply | null> {
    const body = jsonOf(exchange.body.toString('utf8'));
    if (!isFields(body)) return companionError('invalid', 'The body is not a JSON object');
    const to = isFields(body.to) ? body.to : {};
    const customer = wordsOf(to.phone ?? to.lid ?? to.chatId).replace(/\D/g, '');
    return visit(keeper, {
      exchange,
      number,
      dialect,
      operation: 'send',
      customer,
      work: (fault) => sendCompanion(world, number, body, answers, exchange.body, fault),
    });
  }

  /** Numbers ending in 0000 are nobody's, so that a sender can be tried on one. */
  function numbers(exchange: Exchange): Reply {
    const body = jsonOf(exchange.body.toString('utf8'));
    const phone = isFields(body) ? body.phone : undefined;
    if (typeof phone !== 'string' || !/^\+\d{6,15}$/.test(phone)) return companionError('invalid', 'phone is missing');
    return jsonReply(200, { exists: !phone.endsWith('0000') });
  }

  function read(exchange: Exchange, number: SimNumber): Reply | null | Promise<Reply | null> {
    const body = jsonOf(exchange.body.toString('utf8'));
    const id = isFields(body) ? body.messageId : undefined;
    if (typeof id !== 'string' || id === '') return companionError('invalid', 'messageId is missing');
    return visit(keeper, {
      exchange,
      number,
      dialect,
      operation: 'read',
      work: (fault) => {
        const holder = world.threads.holderOf(number.key, id);
        world.ledger.add(world.clock.now(), {
          kind: 'read',
          provider: 'webjs',
          number: number.number,
          messageId: id,
          status: 200,
          ...(holder ? { customer: holder.customer.key } : {}),
          ...(fault ? { fault } : {}),
        });
        if (holder) world.threads.tick(number.key, holder.customer.key, id, 'read');
        return { reply: jsonReply(200, { success: true }) };
      },
    });
  }

  function sessionCall(exchange: Exchange, number: SimNumber, route: string): Reply | null | Promise<Reply | null> {
    return visit(keeper, {
      exchange,
      number,
      dialect,
      operation: 'call',
      work: (fault) => {
        const reply = sessionReply(number, route);
        world.ledger.add(world.clock.now(), {
          kind: 'call',
          provider: 'webjs',
          number: number.number,
          what: route,
          status: reply.status,
          ...(fault ? { fault } : {}),
        });
        return { reply };
      },
    });
  }

  function sessionReply(number: SimNumber, route: string): Reply {
    switch (route) {
      case 'GET ':
        break;
      case 'POST start':
        change(number, 'connecting', 'qr');
        break;
      case 'POST stop':
      case 'POST logout':
        change(number, 'close', 'disconnect');
        break;
      default:
        return companionError('not_found', 'No such path');
    }
    return jsonReply(200, {
      name: sessionOf(number),
      status: statusOf(number),
      me: { id: `${number.digits}@c.us`, pushName: number.name },
    });
  }

  function change(number: SimNumber, state: SimNumber['connection'], cause: 'qr' | 'disconnect'): void {
    if (cause === 'qr' && number.connection === 'open') return;
    number.connection = state;
    for (const posting of world.stands.webjs.connection(world, number, cause)) world.poster.post(posting);
  }

  function file(id: string): Reply {
    const found = world.media.get(id);
    return found
      ? { status: 200, body: found.bytes, contentType: found.mimeType }
      : companionError('not_found', 'No such file');
  }
}

function isAllowed(number: SimNumber, exchange: Exchange): boolean {
  const expected = number.secrets.apiKey;
  if (expected === undefined) return true;
  return exchange.headers.authorization === `Bearer ${expected}` || exchange.headers['x-api-key'] === expected;
}

function statusOf(number: SimNumber): string {
  switch (number.connection) {
    case 'open':
      return 'WORKING';
    case 'connecting':
      return 'SCAN_QR_CODE';
    case 'banned':
      return 'FAILED';
    default:
      return 'STOPPED';
  }
}
