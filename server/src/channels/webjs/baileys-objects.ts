/** Raw Baileys objects, as a companion without an envelope of its own posts them. */
import type { InboundEvent } from '@switchyard/contract';
import { deletionOf, messageEventOf, type Origin, receiptEventOf, updateEventOf } from '../baileys/index.ts';
import type { Normalised } from '../channel.ts';
import {
  idAt,
  isArray,
  isObject,
  itemsOf,
  type JsonValue,
  objectAt,
  type Part,
  readEach,
  readItems,
  readPart,
  textAt,
  valueAt,
} from '../reading/index.ts';
import { baileysConnectionOf } from './account-events.ts';
import { type Envelope, keyOf } from './envelope.ts';
import { attemptOfMessageId } from './message-id.ts';

type Reader = (part: Part, origin: Origin) => InboundEvent;

/** By the member that tells one object from another, first match first. */
const readersByMember: readonly (readonly [member: string, read: Reader])[] = [
  ['receipt', (part, origin) => receiptEventOf(part.value, origin)],
  ['update', (part, origin) => updateEventOf(part.value, origin)],
  ['reaction', (part, origin) => reactionEventOf(part, origin)],
  ['message', (part, origin) => messageEventOf(part.value, origin)],
  ['messageStubType', (part, origin) => messageEventOf(part.value, origin)],
  ['status', (part, origin) => updateEventOf(part.value, origin)],
];

/** Undefined for what is none of Baileys' objects. */
export function readBaileysObject(part: Part, envelope: Envelope): Normalised | undefined {
  const { value } = part;
  if (isArray(value)) {
    if (!value.every(isBaileysObject)) return undefined;
    return readEach(itemsOf(value, part.path), (item) => [oneEvent(item, envelope, false)]);
  }
  if (isArray(valueAt(value, 'messages'))) {
    const isHistory = textAt(value, 'type') === 'append' || valueAt(value, 'syncType') !== undefined;
    return readItems(part, 'messages', (item) => [oneEvent(item, envelope, isHistory)]);
  }
  if (textAt(value, 'connection') !== undefined || textAt(value, 'qr') !== undefined) {
    return { events: [baileysConnectionOf(part, envelope)], unreadable: [] };
  }
  if (!isBaileysObject(value)) return undefined;
  return readPart(part, () => [oneEvent(part, envelope, false)]);
}

function isBaileysObject(value: JsonValue): boolean {
  return isObject(value) && objectAt(value, 'key') !== undefined;
}

function oneEvent(part: Part, envelope: Envelope, isHistory: boolean): InboundEvent {
  const origin: Origin = {
    path: part.path,
    bindings: envelope.bindings,
    keyOf: (key) => keyOf(envelope, key.id),
    receiptKeyOf: (id, name) => keyOf(envelope, id, name),
    attemptOf: attemptOfMessageId,
    isHistory,
  };
  if (envelope.event === 'messages.delete') return deletionOf(part.value, origin);
  const [, read] = readersByMember.find(([member]) => valueAt(part.value, member) !== undefined) ?? [];
  // A message without content has a null where `message` would be: it says so as an unsupported content.
  return read ? read(part, origin) : messageEventOf(part.value, origin);
}

/** `messages.reaction`: `key` is the message reacted to, `reaction.key` the reaction's own. */
function reactionEventOf(part: Part, origin: Origin): InboundEvent {
  const { value } = part;
  const key = objectAt(value, 'reaction', 'key') ?? objectAt(value, 'key') ?? null;
  const reactionMessage = { key: objectAt(value, 'key') ?? null, text: textAt(value, 'reaction', 'text') ?? '' };
  const messageTimestamp = idAt(value, 'reaction', 'senderTimestampMs') ?? null;
  return messageEventOf({ key, message: { reactionMessage }, messageTimestamp }, origin);
}
