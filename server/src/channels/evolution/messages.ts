/** Messages, and what takes them back or rewrites them. Source: Evolution's Baileys channel service, 1.3 to 2.3. */
import type { InboundEvent, MessageEvent } from '@switchyard/contract';
import {
  contentOfMessage,
  instantOfLong,
  keyParts,
  type MessageKey,
  messageEventOf,
  readKey,
} from '../baileys/index.ts';
import type { Normalised } from '../channel.ts';
import type { InboundContent } from '../inbound-content.ts';
import {
  fingerprint,
  idAt,
  objectAt,
  type Part,
  present,
  readItems,
  textAt,
  Unreadable,
  valueAt,
} from '../reading/index.ts';
import type { Envelope } from './envelope.ts';

/** `messages.upsert` and `send.message`. */
export function upsertedMessages(part: Part, envelope: Envelope): Normalised {
  // Baileys' own form, which some servers and queues pass on: `append` is what was said while we were away.
  if (valueAt(part.value, 'messages') === undefined) return onlyEvent(upsertedMessage(part, envelope, false));
  const isHistory = textAt(part.value, 'type') === 'append';
  return readItems(part, 'messages', (item) => [upsertedMessage(item, envelope, isHistory)]);
}

/** `messages.set`: the import after a new connection. */
export function importedMessages(part: Part, envelope: Envelope): Normalised {
  if (valueAt(part.value, 'messages') === undefined) return onlyEvent(upsertedMessage(part, envelope, true));
  return readItems(part, 'messages', (item) => [upsertedMessage(item, envelope, true)]);
}

function onlyEvent(event: InboundEvent): Normalised {
  return { events: [event], unreadable: [] };
}

function upsertedMessage(part: Part, envelope: Envelope, isHistory: boolean): InboundEvent {
  const keyOf = (key: MessageKey) => eventKeyOf(envelope, key);
  return messageEventOf(part.value, { path: part.path, bindings: envelope.bindings, keyOf, isHistory });
}

function eventKeyOf(envelope: Envelope, key: MessageKey): string {
  return [envelope.instance, ...keyParts(key)].join(':');
}

/** `messages.delete`: the key of what was deleted, by itself or as `key`. */
export function deletedMessage(part: Part, envelope: Envelope): InboundEvent {
  const key = readKey(objectAt(part.value, 'key') ?? part.value);
  return changedMessage(part, envelope, { key, content: { type: 'delete', targetId: key.id }, version: 'deleted' });
}

/** `messages.edited`: the protocol message that carries the new content. One message may be edited many times. */
export function editedMessage(part: Part, envelope: Envelope): InboundEvent {
  const protocol = objectAt(part.value, 'protocolMessage') ?? objectAt(part.value);
  const key = readKey(valueAt(protocol, 'key'));
  const content = contentOfMessage({ protocolMessage: { type: 'MESSAGE_EDIT', ...protocol } }, key.id);
  if (!content) throw new Unreadable('the edit has no content');
  const version = idAt(protocol, 'timestampMs') ?? fingerprint(protocol).slice(0, 16);
  return changedMessage(part, envelope, { key, content, version: `edited:${version}` });
}

/** What became of a message that had its own event already. */
export interface Change {
  readonly key: MessageKey;
  readonly content: InboundContent;
  /** Put after the message's own key, since this is another event. */
  readonly version: string;
}

export function changedMessage(part: Part, envelope: Envelope, { key, content, version }: Change): MessageEvent {
  return present({
    kind: 'message',
    type: key.isFromMe ? 'echo' : content.type,
    key: `${eventKeyOf(envelope, key)}:${version}`,
    providerMessageId: key.id,
    direction: key.isFromMe ? 'out' : 'in',
    occurredAt: instantOfLong(valueAt(part.value, 'timestampMs')),
    bindings: envelope.bindings,
    path: part.path,
    customer: key.customer,
    groupId: key.chat.kind === 'group' ? key.chat.text : undefined,
    content,
  });
}
