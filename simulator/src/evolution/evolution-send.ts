/** `POST /message/send…/{instance}`: answered 201 with the message, status PENDING; accepted is not sent. */
import type { Dialect, Work } from '../faults/door.ts';
import { jsonReply } from '../http/exchange.ts';
import { secondsOf } from '../world/clock.ts';
import { type Customer, strangerOf } from '../world/customer.ts';
import type { SimNumber } from '../world/number.ts';
import type { Fields } from '../world/read.ts';
import type { World } from '../world/world.ts';
import { instanceIdOf, instanceOf, jidOf, messageKeyId } from './addresses.ts';
import { evolutionError, namedError, notOnWhatsapp, schemaError } from './errors.ts';
import type { EvolutionMessages } from './message-store.ts';
import { type SendForm, sendForms } from './send-form.ts';
import { eventPosting } from './webhook.ts';

export function evolutionDialect(world: World): Dialect {
  return {
    defaultErrorCode: 'internal',
    error: namedError,
    rateLimited: () => evolutionError(429, ['rate-overlimit']),
    serverError: (status) => evolutionError(status, ['Internal Server Error']),
    withWrongId: (reply) => ({
      ...reply,
      body: String(reply.body).replace(/3EB0[0-9A-F]{18}/g, messageKeyId(world.random)),
    }),
  };
}

export interface EvolutionSend {
  readonly operation: string;
  readonly body: Fields;
  readonly raw: Buffer;
  readonly fault: string | null;
}

export function sendEvolution(world: World, number: SimNumber, messages: EvolutionMessages, send: EvolutionSend): Work {
  const to = addresseeOf(send);
  if (to === null) return refuse(world, number, send, schemaError('instance requires property "number"'), 'schema');
  const form = sendForms[send.operation]!(send.body, number.version);
  if (typeof form === 'string') return refuse(world, number, send, schemaError(form), 'schema');
  if (number.connection !== 'open') {
    return refuse(world, number, send, evolutionError(400, ['Error: Connection Closed']), 'connection_closed');
  }
  const customer = customerOf(to);
  if (!customer) return refuse(world, number, send, notOnWhatsapp(to), 'not_on_whatsapp');
  return accept(world, number, messages, send, customer, form);
}

/** A reaction names its chat in the key of the message. */
function addresseeOf(send: EvolutionSend): string | null {
  const { body } = send;
  if (typeof body.number === 'string' && body.number !== '') return body.number;
  const part = (body.reactionMessage ?? body) as Fields;
  const key = part.key as Fields | undefined;
  return send.operation === 'sendReaction' && typeof key?.remoteJid === 'string' ? key.remoteJid : null;
}

/** A phone number or a JID; too short a number is not on WhatsApp. */
function customerOf(to: string): Customer | null {
  const [user = '', server] = to.split('@');
  const digits = user.replace(/[\s+()-]/g, '').replace(/:\d+$/, '');
  if (!/^\d{6,20}$/.test(digits)) return null;
  return strangerOf(digits, server === 'lid' ? 'lid' : 'phone');
}

function refuse(world: World, number: SimNumber, send: EvolutionSend, reply: Work['reply'], code: string): Work {
  world.ledger.add(
    world.clock.now(),
    {
      kind: 'refusal',
      provider: 'evolution',
      number: number.number,
      what: send.operation,
      status: reply.status,
      code,
      ...(typeof send.body.number === 'string' ? { customer: send.body.number.replace(/\D/g, '') } : {}),
      ...(send.fault ? { fault: send.fault } : {}),
    },
    send.raw,
  );
  return { reply };
}

function accept(
  world: World,
  number: SimNumber,
  messages: EvolutionMessages,
  send: EvolutionSend,
  customer: Customer,
  form: SendForm,
): Work {
  const atMs = world.clock.now();
  const key = { remoteJid: jidOf(customer), fromMe: true, id: messageKeyId(world.random) };
  const seconds = secondsOf(atMs);
  messages.add({
    instance: instanceOf(number),
    key,
    pushName: number.name,
    message: form.message,
    messageType: form.messageType,
    messageTimestamp: seconds,
    source: 'unknown',
    status: 'PENDING',
  });
  world.ledger.add(
    atMs,
    {
      kind: 'send',
      provider: 'evolution',
      number: number.number,
      customer: customer.key,
      messageId: key.id,
      what: form.screen.type,
      status: 201,
      ...(form.screen.text === undefined ? {} : { text: form.screen.text }),
      ...(send.fault ? { fault: send.fault } : {}),
    },
    send.raw,
  );
  const thread = { id: key.id, direction: 'out' as const, atMs, content: form.screen, tick: 'waiting' as const };
  world.threads.add(number.key, customer, thread);
  postOwnMessage(world, number, customer, key.id, { key, form, seconds });
  return {
    reply: answerOf(number, key, form, seconds),
    sent: { number, customer, messageId: key.id, type: form.screen.type, atMs },
  };
}

interface Own {
  readonly key: Fields;
  readonly form: SendForm;
  readonly seconds: number;
}

/** What the API sent comes as `send.message`, and the phone's own copy as `messages.upsert` with fromMe. */
function postOwnMessage(world: World, number: SimNumber, customer: Customer, messageId: string, own: Own): void {
  if (!number.autoReceipts) return;
  const data = {
    key: own.key,
    pushName: number.name,
    status: 'PENDING',
    message: own.form.message,
    messageType: own.form.messageType,
    messageTimestamp: own.seconds,
    ...(number.version === 'v1' ? { owner: instanceOf(number) } : { instanceId: instanceIdOf(number) }),
    source: 'unknown',
  };
  for (const event of ['send.message', 'messages.upsert']) {
    const posting = eventPosting(world, number, {
      event,
      data,
      operation: 'echo',
      what: event,
      customer: customer.key,
      messageId,
    });
    if (posting) world.poster.postLater(posting, number.receiptDelaysMs.sent);
  }
}

/** v1 writes the time as text, v2 as a number. */
function answerOf(number: SimNumber, key: Fields, form: SendForm, seconds: number): Work['reply'] {
  if (number.version === 'v1') {
    return jsonReply(201, { key, message: form.message, messageTimestamp: String(seconds), status: 'PENDING' });
  }
  return jsonReply(201, {
    key,
    pushName: '',
    status: 'PENDING',
    message: form.message,
    contextInfo: null,
    messageType: form.messageType,
    messageTimestamp: seconds,
    instanceId: instanceIdOf(number),
    source: 'unknown',
  });
}
