/**
 * The control API (README.md): numbers, inbound, faults, ledger. Changes want `content-type: application/json`, so
 * that no foreign web page can make a browser send them.
 */

import { announce, startQrCycle } from '../evolution/qr-cycle.ts';
import { isStateKind, parseFault, type StateKind } from '../faults/fault.ts';
import { shakeHands } from '../graph/handshake.ts';
import { type Exchange, jsonReply, type Reply, segmentsOf } from '../http/exchange.ts';
import type { Receipts } from '../posting/receipts.ts';
import { parseNumberSettings, providers, type SimNumber } from '../world/number.ts';
import {
  BadRequest,
  fieldsOf,
  isFields,
  jsonOf,
  listOf,
  oneOf,
  optionalFlag,
  optionalNumber,
  textOf,
} from '../world/read.ts';
import { changeSettings } from '../world/settings.ts';
import type { World } from '../world/world.ts';
import { actInbound, NotExpressible, NotFound, numberOf } from './act.ts';

const SETTLE_TIMEOUT_MS = 10_000;
const LEDGER_PAGE = 1_000;
const LEDGER_PAGE_LIMIT = 10_000;

export interface ControlParts {
  readonly world: World;
  readonly receipts: Receipts;
}

type Route = (parts: ControlParts, exchange: Exchange) => Reply | Promise<Reply>;

const routes: Readonly<Record<string, Route>> = {
  'GET numbers': ({ world }) => jsonReply(200, { data: world.registry.list().map(presentNumber) }),
  'PUT numbers': ({ world }, exchange) => {
    const number = world.registry.put(parseNumberSettings(bodyOf(exchange)));
    return jsonReply(200, presentNumber(number));
  },
  'DELETE numbers': deleteNumber,
  'POST inbound': async ({ world, receipts }, exchange) =>
    jsonReply(200, await actInbound(world, receipts, bodyOf(exchange))),
  'POST handshake': handshake,
  'POST scan': scan,
  'POST customers': setCustomer,
  'GET faults': ({ world }) => jsonReply(200, { rules: world.faults.list() }),
  'PUT faults': putFaults,
  'DELETE faults': ({ world }) => {
    world.faults.replace([]);
    for (const number of world.registry.list()) reopen(world, number);
    return jsonReply(200, { rules: [] });
  },
  'GET ledger': readLedger,
  'DELETE ledger': ({ world }) => {
    world.ledger.clear();
    return jsonReply(200, {});
  },
  'GET stats': ({ world }) => jsonReply(200, statsOf(world)),
  'GET settings': ({ world }) => jsonReply(200, world.settings),
  'PUT settings': ({ world }, exchange) => {
    changeSettings(world.settings, bodyOf(exchange));
    return jsonReply(200, world.settings);
  },
  'POST advance': ({ world }, exchange) => {
    const milliseconds = optionalNumber(fieldsOf(bodyOf(exchange), 'body'), 'milliseconds') ?? 0;
    world.clock.advance(milliseconds);
    return jsonReply(200, { now: new Date(world.clock.now()).toISOString() });
  },
  'POST settle': settle,
  'GET health': ({ world }) => jsonReply(200, { status: 'ok', urls: world.urls }),
};

/** Answers everything under `/control/`. */
export async function controlRoute(parts: ControlParts, exchange: Exchange): Promise<Reply> {
  const [, resource = ''] = segmentsOf(exchange.path);
  const route = routes[`${exchange.method} ${resource}`];
  if (!route) return problem(404, 'not_found', `No ${exchange.method} /control/${resource}`);
  const hasBody = exchange.method === 'POST' || exchange.method === 'PUT' || exchange.method === 'DELETE';
  if (hasBody && !/^application\/json\b/.test(exchange.headers['content-type'] ?? '')) {
    return problem(415, 'not_json', 'Send content-type: application/json');
  }
  try {
    return await route(parts, exchange);
  } catch (error) {
    if (error instanceof BadRequest) return problem(400, 'invalid', error.message);
    if (error instanceof NotFound) return problem(404, 'unknown_number', error.message);
    if (error instanceof NotExpressible) return problem(422, 'not_expressible', error.message);
    throw error;
  }
}

function problem(status: number, code: string, message: string): Reply {
  return jsonReply(status, { error: { code, message } });
}

function bodyOf(exchange: Exchange): unknown {
  const body = jsonOf(exchange.body.toString('utf8'));
  if (body === undefined) throw new BadRequest('The body is not JSON');
  return body;
}

/** Without windows and other inner state; secrets by name only. */
export function presentNumber(number: SimNumber): Record<string, unknown> {
  const { provider, name, ids, version, autoReceipts, window, limits, connection, order, receiptDelaysMs } = number;
  return {
    provider,
    number: number.number,
    name,
    webhookUrl: number.webhook.url,
    ids,
    secrets: Object.keys(number.secrets),
    ...(provider === 'evolution' ? { version } : {}),
    autoReceipts,
    window,
    limits,
    order,
    receiptDelaysMs,
    connection,
  };
}

function deleteNumber({ world }: ControlParts, exchange: Exchange): Reply {
  const query = new URLSearchParams(exchange.query);
  const provider = query.get('provider');
  const number = query.get('number');
  if (provider === null && number === null) {
    world.registry.clear();
    world.threads.clear();
    return jsonReply(200, {});
  }
  const isGone = world.registry.delete(oneOf(provider, providers, 'provider'), number ?? '');
  return isGone ? jsonReply(200, {}) : problem(404, 'unknown_number', 'No such number is registered');
}

/** `{provider, number}` with the number's own webhook and token, or `{url, verifyToken}`. */
async function handshake({ world }: ControlParts, exchange: Exchange): Promise<Reply> {
  const fields = fieldsOf(bodyOf(exchange), 'body');
  if (fields.url !== undefined) {
    return jsonReply(200, await shakeHands(world, textOf(fields, 'url'), textOf(fields, 'verifyToken')));
  }
  const number = numberOf(world, fields);
  const token = number.secrets.verifyToken;
  if (!number.webhook.url || token === undefined) throw new BadRequest('The number has no webhookUrl or verifyToken');
  return jsonReply(200, await shakeHands(world, number.webhook.url, token));
}

/** A person scans the code: the connection opens. */
function scan({ world }: ControlParts, exchange: Exchange): Reply {
  const number = numberOf(world, fieldsOf(bodyOf(exchange), 'body'));
  number.connection = 'open';
  announce(world, number, 'open');
  return jsonReply(200, presentNumber(number));
}

/** `{provider, number, from, isOffline}`: the customer's phone is off, or on again. */
function setCustomer({ world, receipts }: ControlParts, exchange: Exchange): Reply {
  const fields = fieldsOf(bodyOf(exchange), 'body');
  const number = numberOf(world, fields);
  const customer = number.provider === 'instagram' ? textOf(fields, 'from') : textOf(fields, 'from').replace(/^\+/, '');
  const isOffline = optionalFlag(fields, 'isOffline') ?? false;
  if (isOffline) number.offline.add(customer);
  else {
    number.offline.delete(customer);
    receipts.comeOnline(number.key, customer);
  }
  return jsonReply(200, { isOffline });
}

/** A list of rules, or `{seed, rules, append?}`. Rules on a number's state take effect at once. */
function putFaults({ world }: ControlParts, exchange: Exchange): Reply {
  const body = bodyOf(exchange);
  const fields = isFields(body) ? body : {};
  const faults = listOf(Array.isArray(body) ? body : fields.rules, 'rules').map(parseFault);
  if (fields.append === true) for (const fault of faults) world.faults.add(fault);
  else world.faults.replace(faults, optionalNumber(fields, 'seed'));
  for (const fault of faults) {
    if (isStateKind(fault.kind)) strike(world, fault.kind, fault.provider, fault.number);
  }
  return jsonReply(200, { rules: world.faults.list() });
}

function strike(world: World, kind: StateKind, provider: string | null, name: string | null): void {
  const struck = world.registry
    .list()
    .filter(
      (number) => (provider === null || number.provider === provider) && (name === null || number.number === name),
    );
  for (const number of struck) {
    if (kind === 'qr_cycle') {
      startQrCycle(world, number);
      continue;
    }
    number.connection = kind === 'ban' ? 'banned' : 'close';
    announce(world, number, kind);
  }
}

function reopen(world: World, number: SimNumber): void {
  if (number.connection === 'open') return;
  number.connection = 'open';
  announce(world, number, 'open');
}

/** `{timeoutMs?}`: answers when all that is planned was posted, or says that it was not by then. */
async function settle({ world }: ControlParts, exchange: Exchange): Promise<Reply> {
  const timeoutMs = optionalNumber(fieldsOf(bodyOf(exchange), 'body'), 'timeoutMs') ?? SETTLE_TIMEOUT_MS;
  const timeout = AbortSignal.timeout(timeoutMs);
  const isSettled = await Promise.race([
    world.poster.idle().then(() => true),
    new Promise<boolean>((resolve) => timeout.addEventListener('abort', () => resolve(false), { once: true })),
  ]);
  return jsonReply(200, { isSettled });
}

function readLedger({ world }: ControlParts, exchange: Exchange): Reply {
  const query = new URLSearchParams(exchange.query);
  const limit = Math.min(LEDGER_PAGE_LIMIT, Number(query.get('limit') ?? LEDGER_PAGE) || LEDGER_PAGE);
  const wanted = (name: string) => {
    const value = query.get(name);
    return value === null ? {} : { [name]: value };
  };
  return jsonReply(
    200,
    world.ledger.read({
      since: Number(query.get('since') ?? 0) || 0,
      limit,
      ...wanted('provider'),
      ...wanted('number'),
      ...wanted('kind'),
      ...wanted('customer'),
    }),
  );
}

function statsOf(world: World): Record<string, unknown> {
  return {
    counts: world.ledger.counts(),
    ledgerEntries: world.ledger.size,
    webhooksWaiting: world.poster.waiting,
    webhooksRetrying: world.poster.retrying,
    webhooksOpen: world.poster.open,
    rssMb: Math.round(process.memoryUsage.rss() / 1_048_576),
    now: new Date(world.clock.now()).toISOString(),
  };
}
