/**
 * `POST /sessions/{session}/messages`: our own wire form. The message's id is made from the sender's, which every
 * acknowledgement carries back, so a repeat is known and not sent again.
 */
import { createHash } from 'node:crypto';
import type { Dialect, Work } from '../faults/door.ts';
import { jsonReply, type Reply } from '../http/exchange.ts';
import { BoundedMap } from '../world/bounded-map.ts';
import { isMediaKind } from '../world/content.ts';
import { type Customer, strangerOf } from '../world/customer.ts';
import type { SimNumber } from '../world/number.ts';
import { type Fields, isFields, wordsOf } from '../world/read.ts';
import { mediaScreen, type ScreenChoice, type ScreenContent } from '../world/screen.ts';
import type { World } from '../world/world.ts';
import { chatIdOf, companionMessageId, serialId } from './webjs-stand.ts';

/** Answers remembered, so that the same id is sent once. */
const REPEAT_LIMIT = 100_000;

export type CompanionAnswers = BoundedMap<string, Reply>;

export function createCompanionAnswers(): CompanionAnswers {
  return new BoundedMap(REPEAT_LIMIT);
}

const errorStatuses: Readonly<Record<string, readonly [status: number, message: string]>> = {
  not_on_whatsapp: [422, 'The recipient is not on WhatsApp'],
  not_connected: [409, 'The session is not connected'],
  restricted: [403, 'The account may not start new chats now'],
  quota: [429, 'Too many messages'],
  invalid: [400, 'The message is not valid'],
  unauthorized: [401, 'Wrong key'],
  not_found: [404, 'No such session'],
};

export function companionError(code: string, message?: string): Reply {
  const [status, words] = errorStatuses[code] ?? [500, 'The companion failed'];
  return jsonReply(status, { error: { code, message: message ?? words } });
}

export function webjsDialect(world: World): Dialect {
  return {
    defaultErrorCode: 'internal',
    error: (code) => companionError(code),
    rateLimited: () => companionError('quota'),
    serverError: (status) => ({ ...companionError('internal'), status }),
    withWrongId: (reply) => ({
      ...reply,
      body: String(reply.body).replace(/"messageId":"[^"]+"/, `"messageId":"${companionMessageId(world.random)}"`),
    }),
  };
}

export function sendCompanion(
  world: World,
  number: SimNumber,
  body: Fields,
  answers: CompanionAnswers,
  raw: Buffer,
  fault: string | null,
): Work {
  const id = typeof body.id === 'string' && body.id !== '' ? body.id : companionMessageId(world.random);
  const known = answers.get(`${number.key} ${id}`);
  if (known) return repeat(world, number, id, known, raw);
  const customer = addresseeOf(body.to);
  if (!customer) return refuse(world, number, 'invalid', 'to needs chatId, phone or lid', raw, fault);
  const screen = screenOf(body.content);
  if (typeof screen === 'string') return refuse(world, number, 'invalid', screen, raw, fault);
  if (number.connection !== 'open') {
    const code = number.connection === 'banned' ? 'restricted' : 'not_connected';
    return refuse(world, number, code, undefined, raw, fault);
  }
  const work = accept(world, number, id, customer, screen, raw, fault);
  answers.set(`${number.key} ${id}`, work.reply);
  return work;
}

function addresseeOf(to: unknown): Customer | null {
  if (!isFields(to)) return null;
  const { chatId, phone, lid } = to;
  if (typeof chatId === 'string' && /^\d{5,20}@(c\.us|s\.whatsapp\.net|lid)$/.test(chatId)) {
    return strangerOf(chatId.split('@')[0]!, chatId.endsWith('@lid') ? 'lid' : 'phone');
  }
  if (typeof phone === 'string' && /^\+?\d{6,15}$/.test(phone)) return strangerOf(phone, 'phone');
  return typeof lid === 'string' && /^\d{5,20}(@lid)?$/.test(lid) ? strangerOf(lid, 'lid') : null;
}

/** What the phone shows, or what is wrong. */
function screenOf(content: unknown): ScreenContent | string {
  if (!isFields(content) || typeof content.type !== 'string') return 'content.type is missing';
  const { type, text } = content;
  if (isMediaKind(type)) {
    const media = isFields(content.media) ? content.media : content;
    const url = media.url;
    if (typeof url !== 'string' && typeof media.base64 !== 'string') return 'content.media needs url or base64';
    const caption = content.caption;
    return mediaScreen(
      type,
      typeof url === 'string' ? url : undefined,
      typeof caption === 'string' ? caption : undefined,
    );
  }
  switch (type) {
    case 'text':
      return typeof text === 'string' && text !== '' ? { type, text } : 'content.text is missing';
    case 'location':
      return typeof content.latitude === 'number' && typeof content.longitude === 'number'
        ? { type, text: wordsOf(content.name) || `${content.latitude}, ${content.longitude}` }
        : 'content.latitude and content.longitude are missing';
    case 'contacts':
      return Array.isArray(content.contacts) || Array.isArray(content.vCards)
        ? { type, text: 'Contact' }
        : 'content.contacts is missing';
    case 'reaction':
      return typeof content.targetId === 'string'
        ? { type, text: wordsOf(content.emoji), targetId: content.targetId }
        : 'content.targetId is missing';
    case 'buttons':
      return { type, text: wordsOf(text), buttons: choicesOf(content.buttons) };
    case 'list':
      return {
        type,
        text: wordsOf(text),
        list: { button: wordsOf(content.button), sections: sectionsOf(content.sections) },
      };
    default:
      return `content.type ${type} is not known`;
  }
}

function choicesOf(list: unknown): ScreenChoice[] {
  if (!Array.isArray(list)) return [];
  return (list as unknown[]).filter(isFields).map((each) => ({
    id: String(each.id),
    title: String(each.title),
    ...(typeof each.description === 'string' ? { description: each.description } : {}),
  }));
}

function sectionsOf(list: unknown): { title: string; rows: ScreenChoice[] }[] {
  if (!Array.isArray(list)) return [];
  return (list as unknown[])
    .filter(isFields)
    .map((each) => ({ title: wordsOf(each.title), rows: choicesOf(each.rows) }));
}

function repeat(world: World, number: SimNumber, id: string, reply: Reply, raw: Buffer): Work {
  world.ledger.add(
    world.clock.now(),
    { kind: 'repeat', provider: 'webjs', number: number.number, correlation: id, status: reply.status },
    raw,
  );
  return { reply };
}

/** As WhatsApp's web client makes ids: hexadecimal digits, and no underscore, which parts the whole id. */
function messagePartOf(attemptId: string): string {
  return `3EB0${createHash('sha256').update(attemptId).digest('hex').slice(0, 18).toUpperCase()}`;
}

function refuse(
  world: World,
  number: SimNumber,
  code: string,
  message: string | undefined,
  raw: Buffer,
  fault: string | null,
): Work {
  const reply = companionError(code, message);
  world.ledger.add(
    world.clock.now(),
    {
      kind: 'refusal',
      provider: 'webjs',
      number: number.number,
      status: reply.status,
      code,
      ...(fault ? { fault } : {}),
    },
    raw,
  );
  return { reply };
}

function accept(
  world: World,
  number: SimNumber,
  attemptId: string,
  customer: Customer,
  screen: ScreenContent,
  raw: Buffer,
  fault: string | null,
): Work {
  const atMs = world.clock.now();
  const messageId = serialId(true, chatIdOf(customer), messagePartOf(attemptId));
  world.ledger.add(
    atMs,
    {
      kind: 'send',
      provider: 'webjs',
      number: number.number,
      customer: customer.key,
      messageId,
      correlation: attemptId,
      what: screen.type,
      status: 201,
      ...(screen.text === undefined ? {} : { text: screen.text }),
      ...(fault ? { fault } : {}),
    },
    raw,
  );
  world.threads.add(number.key, customer, { id: messageId, direction: 'out', atMs, content: screen, tick: 'waiting' });
  const reply = jsonReply(201, { messageId, timestamp: atMs });
  return { reply, sent: { number, customer, messageId, type: screen.type, atMs, correlation: attemptId } };
}
