/** `/chat/…`: marks as read, the message store, files, look-ups of numbers. */
import type { Work } from '../faults/door.ts';
import { type Exchange, jsonReply, type Reply } from '../http/exchange.ts';
import type { SimNumber } from '../world/number.ts';
import { type Fields, isFields, jsonOf, optionalFields } from '../world/read.ts';
import type { World } from '../world/world.ts';
import { instanceIdOf, instanceOf } from './addresses.ts';
import { evolutionError, schemaError } from './errors.ts';
import { fileIdOf } from './message-form.ts';
import type { EvolutionMessage, EvolutionMessages } from './message-store.ts';

const PAGE_SIZE = 50;

/** Null for a path that these servers do not have. */
export function chatRoute(
  world: World,
  number: SimNumber,
  messages: EvolutionMessages,
  action: string,
  exchange: Exchange,
): Reply | null {
  const parsed = jsonOf(exchange.body.toString('utf8'));
  const body = isFields(parsed) ? parsed : {};
  switch (action) {
    case 'findMessages':
      return findMessages(number, messages, body);
    case 'whatsappNumbers':
      return whatsappNumbers(body);
    case 'getBase64FromMediaMessage':
      return base64Of(world, number, messages, body);
    case 'sendPresence':
      return jsonReply(201, { presence: body.presence ?? 'composing' });
    default:
      return null;
  }
}

export function markAsRead(world: World, number: SimNumber, exchange: Exchange, fault: string | null): Work {
  const body = jsonOf(exchange.body.toString('utf8'));
  const list = isFields(body) ? (body.readMessages ?? body.read_messages) : undefined;
  if (!Array.isArray(list) || list.length === 0)
    return { reply: schemaError('instance requires property "readMessages"') };
  for (const key of (list as unknown[]).filter(isFields)) {
    const id = String(key.id);
    const holder = world.threads.holderOf(number.key, id);
    world.ledger.add(world.clock.now(), {
      kind: 'read',
      provider: 'evolution',
      number: number.number,
      messageId: id,
      status: 201,
      ...(holder ? { customer: holder.customer.key } : {}),
      ...(fault ? { fault } : {}),
    });
    if (holder) world.threads.tick(number.key, holder.customer.key, id, 'read');
  }
  return { reply: jsonReply(201, { message: 'Read messages', read: 'success' }) };
}

/**
 * v1 answers a list of at most `limit`, v2 a page. `where.key` narrows both; a span narrows v2 only, and only where both
 * its ends are given.
 */
function findMessages(number: SimNumber, messages: EvolutionMessages, body: Fields): Reply {
  const where = optionalFields(body.where, 'where');
  const key = optionalFields(where.key, 'where.key');
  const isV1 = number.version === 'v1';
  const found = messages.find(instanceOf(number), {
    ...(typeof key.remoteJid === 'string' ? { remoteJid: key.remoteJid } : {}),
    ...(typeof key.id === 'string' ? { id: key.id } : {}),
    ...(typeof key.fromMe === 'boolean' ? { fromMe: key.fromMe } : {}),
    ...(isV1 ? {} : spanOf(where.messageTimestamp)),
  });
  if (isV1) {
    const limit = Number(body.limit ?? found.length) || found.length;
    return jsonReply(
      200,
      found.slice(0, limit).map((message) => presentV1(number, message)),
    );
  }
  const page = Math.max(1, Number(body.page ?? 1) || 1);
  const size = Math.max(1, Number(body.offset ?? PAGE_SIZE) || PAGE_SIZE);
  const records = found.slice((page - 1) * size, page * size).map((message) => presentV2(number, message));
  return jsonReply(200, {
    messages: { total: found.length, pages: Math.ceil(found.length / size), currentPage: page, records },
  });
}

function spanOf(value: unknown): { sinceSeconds?: number; untilSeconds?: number } {
  if (!isFields(value) || !value.gte || !value.lte) return {};
  return { sinceSeconds: secondsOf(value.gte), untilSeconds: secondsOf(value.lte) };
}

function secondsOf(value: unknown): number {
  return Math.floor(new Date(typeof value === 'number' ? value : String(value)).getTime() / 1000) || 0;
}

function presentV1(number: SimNumber, message: EvolutionMessage): Fields {
  const { key, pushName, message: content, messageType, messageTimestamp } = message;
  return {
    key,
    pushName,
    message: content,
    messageType,
    messageTimestamp,
    owner: instanceOf(number),
    source: message.source,
  };
}

function presentV2(number: SimNumber, message: EvolutionMessage): Fields {
  const { key, pushName, messageType, message: content, messageTimestamp, source, status } = message;
  return {
    id: `cm${key.id.toLowerCase()}`,
    key,
    pushName,
    messageType,
    message: content,
    messageTimestamp,
    instanceId: instanceIdOf(number),
    source,
    contextInfo: null,
    MessageUpdate: status === 'PENDING' ? [] : [{ status }],
  };
}

function whatsappNumbers(body: Fields): Reply {
  const numbers = body.numbers;
  if (!Array.isArray(numbers)) return schemaError('instance requires property "numbers"');
  const checked = numbers.map((each) => {
    const digits = String(each).replace(/\D/g, '');
    return { exists: /^\d{6,15}$/.test(digits), jid: `${digits}@s.whatsapp.net`, number: digits };
  });
  return jsonReply(200, checked);
}

function base64Of(world: World, number: SimNumber, messages: EvolutionMessages, body: Fields): Reply {
  const wanted = optionalFields(body.message, 'message');
  const key = optionalFields(wanted.key, 'message.key');
  const message = messages.get(instanceOf(number), String(key.id));
  const part = Object.values(message?.message ?? {}).find(isFields);
  const file = typeof part?.directPath === 'string' ? world.media.get(fileIdOf(part.directPath) ?? '') : undefined;
  if (!message || !file) return evolutionError(400, ['Message not found']);
  return jsonReply(201, {
    mediaType: message.messageType,
    fileName: file.fileName ?? `${file.id}.${file.mimeType.split('/')[1]?.split(';')[0] ?? 'bin'}`,
    mimetype: file.mimeType,
    base64: file.bytes.toString('base64'),
  });
}
