/**
 * A provider's door with its faults. Without a fault: do the work, answer, plan the receipts. With one: either the
 * work is not done and the answer says so, or it is done and the answer hides it. Which of the two is in the ledger.
 */
import type { Exchange, Reply } from '../http/exchange.ts';
import type { Receipts } from '../posting/receipts.ts';
import type { SimNumber } from '../world/number.ts';
import type { SentMessage } from '../world/stand.ts';
import type { World } from '../world/world.ts';
import type { Operation } from './fault.ts';
import type { DoorFault } from './fault-book.ts';
import { drip, flood, leaveWaiting, reset, truncate } from './spoil.ts';

export interface Work {
  readonly reply: Reply;
  /** Set when a send was accepted. */
  readonly sent?: SentMessage;
  /** The provider's code when an accepted send is to fail (Twilio 63016). */
  readonly failure?: string;
}

/** How a provider words its refusals. */
export interface Dialect {
  error(code: string): Reply;
  /** Status and `Retry-After` are the door's; the body is the provider's. */
  rateLimited(): Reply;
  serverError(status: number): Reply;
  /** The same answer with another message's id. */
  withWrongId(reply: Reply): Reply;
  defaultErrorCode: string;
}

export interface Visit {
  readonly exchange: Exchange;
  readonly number: SimNumber;
  readonly operation: Operation;
  readonly customer?: string;
  readonly dialect: Dialect;
  /** Does it and writes the ledger; `fault` is noted there. */
  readonly work: (fault: string | null) => Work;
}

export interface Doorkeeper {
  readonly world: World;
  readonly receipts: Receipts;
}

/** The reply, or null when the exchange was answered (or broken off) here. */
export function visit(keeper: Doorkeeper, visit: Visit): Reply | null | Promise<Reply | null> {
  const fault = keeper.world.faults.takeDoorFault({
    provider: visit.number.provider,
    number: visit.number.number,
    operation: visit.operation,
    ...(visit.customer ? { customer: visit.customer } : {}),
  });
  if (!fault) return settle(keeper, visit.work(null), null);
  return isDone(fault) ? spoil(keeper, visit, fault) : refuse(keeper, visit, fault);
}

function settle(keeper: Doorkeeper, work: Work, failure: string | null): Reply {
  if (work.sent) keeper.receipts.plan(work.sent, failure ?? work.failure ?? null);
  return work.reply;
}

/** Is the work done in spite of the fault? */
function isDone(fault: DoorFault): boolean {
  switch (fault.kind) {
    case 'rate_limited':
    case 'ok_with_error':
    case 'error':
      return false;
    case 'server_error':
    case 'reset':
    case 'timeout':
      return fault.when === 'after';
    default:
      return true;
  }
}

function refuse(keeper: Doorkeeper, visit: Visit, fault: DoorFault): Reply | null {
  const { world } = keeper;
  const reply = refusal(visit, fault);
  world.ledger.add(
    world.clock.now(),
    {
      kind: 'refusal',
      provider: visit.number.provider,
      number: visit.number.number,
      what: visit.operation,
      status: reply?.status ?? null,
      fault: fault.kind,
      ...(fault.code ? { code: fault.code } : {}),
      ...(visit.customer ? { customer: visit.customer } : {}),
    },
    visit.exchange.body,
  );
  if (reply) return reply;
  if (fault.kind === 'timeout') leaveWaiting(visit.exchange, fault.milliseconds);
  else reset(visit.exchange);
  return null;
}

function refusal(visit: Visit, fault: DoorFault): Reply | null {
  const { dialect } = visit;
  switch (fault.kind) {
    case 'rate_limited':
      return { ...dialect.rateLimited(), status: 429, headers: retryAfter(fault) };
    case 'server_error':
      return { ...dialect.serverError(fault.status), headers: retryAfter(fault) };
    case 'ok_with_error':
      return { ...dialect.error(fault.code ?? dialect.defaultErrorCode), status: 200 };
    case 'error':
      return dialect.error(fault.code ?? dialect.defaultErrorCode);
    default:
      return null;
  }
}

function retryAfter(fault: DoorFault): Record<string, string> {
  if (fault.retryAfter === null) return {};
  if (fault.retryAfter !== 'date') return { 'retry-after': String(fault.retryAfter) };
  return { 'retry-after': new Date(Date.now() + Math.max(1_000, fault.milliseconds)).toUTCString() };
}

async function spoil(keeper: Doorkeeper, visit: Visit, fault: DoorFault): Promise<Reply | null> {
  const work = visit.work(fault.kind);
  if (fault.kind === 'receipt_first' && work.sent) {
    await keeper.receipts.postFirst(work.sent);
    return work.reply;
  }
  const failure = fault.kind === 'failed_receipt' ? (fault.code ?? visit.dialect.defaultErrorCode) : null;
  const reply = settle(keeper, work, failure);
  return answerBadly(visit, fault, reply);
}

function answerBadly(visit: Visit, fault: DoorFault, reply: Reply): Reply | null | Promise<null> {
  const { exchange, dialect } = visit;
  switch (fault.kind) {
    case 'server_error':
      return { ...dialect.serverError(fault.status), headers: retryAfter(fault) };
    case 'wrong_id':
      return dialect.withWrongId(reply);
    case 'html':
      return { status: 200, body: '<!doctype html><title>Proxy</title><p>Welcome.</p>', contentType: 'text/html' };
    case 'empty':
      return { status: 200, body: '' };
    case 'accepted_202':
      return { status: 202, body: '{}' };
    case 'huge':
      return flood(exchange, reply, fault.bytes).then(() => null);
    case 'reset':
      reset(exchange);
      return null;
    case 'timeout':
      leaveWaiting(exchange, fault.milliseconds);
      return null;
    case 'truncated':
      truncate(exchange, reply);
      return null;
    case 'slow_drip':
      drip(exchange, reply, fault.milliseconds);
      return null;
    default:
      return reply;
  }
}
