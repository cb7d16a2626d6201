/**
 * The Evolution server's door. One simulator stands for servers of both versions: an instance answers in its own
 * version's form; for what belongs to no instance a path may begin with `/v1` or `/v2`.
 */
import { timingSafeEqual } from 'node:crypto';
import { type Doorkeeper, visit } from '../faults/door.ts';
import { type Exchange, jsonReply, type Reply, segmentsOf } from '../http/exchange.ts';
import type { SimNumber } from '../world/number.ts';
import { BadRequest, isFields, jsonOf, wordsOf } from '../world/read.ts';
import { chatRoute, markAsRead } from './chat-routes.ts';
import { evolutionError, schemaError, unknownInstance } from './errors.ts';
import { evolutionDialect, sendEvolution } from './evolution-send.ts';
import {
  connectInstance,
  createInstance,
  deleteInstance,
  fetchInstances,
  logoutInstance,
  restartInstance,
  stateReply,
} from './instance-routes.ts';
import type { EvolutionMessages } from './message-store.ts';
import { sendForms } from './send-form.ts';
import { findWebhook, setWebhook } from './webhook-routes.ts';

const SERVER_VERSIONS = { v1: '1.8.2', v2: '2.3.7' } as const;

export function createEvolutionHandler(keeper: Doorkeeper, messages: EvolutionMessages) {
  const { world } = keeper;
  const dialect = evolutionDialect(world);

  return (exchange: Exchange): Reply | null | Promise<Reply | null> => {
    try {
      return route(exchange);
    } catch (error) {
      if (error instanceof BadRequest) return schemaError(error.message);
      throw error;
    }
  };

  function route(exchange: Exchange): Reply | null | Promise<Reply | null> {
    const segments = segmentsOf(exchange.path);
    const prefix = segments[0] === 'v1' || segments[0] === 'v2' ? segments[0] : null;
    if (prefix) segments.shift();
    const version = prefix ?? world.settings.evolutionVersion;
    const [area, action = '', name] = segments;
    if (area === undefined) return welcome(version);
    const key = String(exchange.headers.apikey ?? '');
    const isGlobal = isSame(key, world.settings.evolutionGlobalKey);
    if (area === 'instance' && action === 'create') {
      return isGlobal ? createInstance(world, exchange, version) : unauthorized;
    }
    if (area === 'instance' && action === 'fetchInstances') return listInstances(exchange, key, isGlobal, version);
    const number = name === undefined ? undefined : world.registry.findById('instance', name);
    // The real server looks for the instance before it looks at the key.
    if (!number) return name === undefined ? evolutionError(404, ['Not Found']) : unknownInstance(name);
    if (!isGlobal && !isKeyOf(number, key)) return unauthorized;
    return instanceRoute(exchange, number, area, action);
  }

  function instanceRoute(
    exchange: Exchange,
    number: SimNumber,
    area: string,
    action: string,
  ): Reply | null | Promise<Reply | null> {
    if (area === 'message' && sendForms[action]) return send(exchange, number, action);
    if (area === 'chat' && action === 'markMessageAsRead') return markRead(exchange, number);
    return visit(keeper, {
      exchange,
      number,
      dialect,
      operation: 'call',
      work: (fault) => {
        const reply =
          callReply(exchange, number, area, action) ??
          evolutionError(404, [`Cannot ${exchange.method} ${exchange.path}`]);
        world.ledger.add(world.clock.now(), {
          kind: 'call',
          provider: 'evolution',
          number: number.number,
          what: `${area}/${action}`,
          status: reply.status,
          ...(fault ? { fault } : {}),
        });
        return { reply };
      },
    });
  }

  function callReply(exchange: Exchange, number: SimNumber, area: string, action: string): Reply | null {
    if (area === 'chat') return chatRoute(world, number, messages, action, exchange);
    if (area === 'webhook')
      return action === 'set' ? setWebhook(number, exchange) : action === 'find' ? findWebhook(number) : null;
    if (area !== 'instance') return null;
    switch (`${exchange.method} ${action}`) {
      case 'GET connect':
        return connectInstance(world, number);
      case 'GET connectionState':
        return stateReply(number);
      case 'PUT restart':
      case 'POST restart':
        return restartInstance(world, number, number.version);
      case 'DELETE logout':
        return logoutInstance(world, number);
      case 'DELETE delete':
        return deleteInstance(world, number);
      default:
        return null;
    }
  }

  function send(exchange: Exchange, number: SimNumber, action: string): Reply | null | Promise<Reply | null> {
    const body = jsonOf(exchange.body.toString('utf8'));
    if (!isFields(body)) return schemaError('instance is not of a type(s) object');
    return visit(keeper, {
      exchange,
      number,
      dialect,
      operation: 'send',
      customer: wordsOf(body.number).replace(/\D/g, ''),
      work: (fault) => sendEvolution(world, number, messages, { operation: action, body, raw: exchange.body, fault }),
    });
  }

  function markRead(exchange: Exchange, number: SimNumber): Reply | null | Promise<Reply | null> {
    return visit(keeper, {
      exchange,
      number,
      dialect,
      operation: 'read',
      work: (fault) => markAsRead(world, number, exchange, fault),
    });
  }

  function welcome(version: 'v1' | 'v2'): Reply {
    return jsonReply(200, {
      status: 200,
      message: 'Welcome to the Evolution API, it is working!',
      version: SERVER_VERSIONS[version],
      documentation: 'https://doc.evolution-api.com',
    });
  }

  /** All with the global key; with an instance's key that instance only. */
  function listInstances(exchange: Exchange, key: string, isGlobal: boolean, version: 'v1' | 'v2'): Reply {
    const wanted = new URLSearchParams(exchange.query).get('instanceName');
    const visible = world.registry.list('evolution').filter((number) => isGlobal || isKeyOf(number, key));
    if (visible.length === 0 && !isGlobal) return unauthorized;
    return fetchInstances(
      visible.filter((number) => wanted === null || number.ids.instance === wanted),
      version,
    );
  }
}

const unauthorized = evolutionError(401, 'Unauthorized');

/** An instance that was given no key takes any that is not empty. */
function isKeyOf(number: SimNumber, key: string): boolean {
  const expected = number.secrets.apiKey;
  return expected === undefined ? key !== '' : isSame(key, expected);
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
