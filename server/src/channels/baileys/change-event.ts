import type { MessageEvent } from '@switchyard/contract';
import type { InboundContent } from '../inbound-content.ts';
import {
  fingerprint,
  idAt,
  type JsonObject,
  type JsonValue,
  objectAt,
  present,
  Unreadable,
  valueAt,
} from '../reading/index.ts';
import { contentOfMessage } from './content.ts';
import { type MessageKey, readKey } from './key.ts';
import { instantOfLong } from './long.ts';
import type { Origin } from './origin.ts';

/** A deletion that comes as the key of what was deleted, by itself or as `key`. */
export function deletionOf(value: JsonValue, origin: Origin): MessageEvent {
  const key = readKey(objectAt(value, 'key') ?? value);
  return changeOf(value, origin, { key, content: { type: 'delete', targetId: key.id }, version: 'deleted' });
}

/** An edit that comes as a protocol message; one message may be edited many times. */
export function protocolEditOf(protocol: JsonObject | undefined, origin: Origin): MessageEvent {
  const key = readKey(valueAt(protocol, 'key'));
  const content = contentOfMessage({ protocolMessage: { type: 'MESSAGE_EDIT', ...protocol } }, key.id);
  if (!content) throw new Unreadable('the edit has no content');
  const version = idAt(protocol, 'timestampMs') ?? fingerprint(protocol).slice(0, 16);
  return changeOf(protocol ?? null, origin, { key, content, version: `edited:${version}` });
}

/** An edit that comes as `{key, update: {message}}`: the new message, or an edit wrapped in one. */
export function updatedContentOf(value: JsonValue, message: JsonObject, origin: Origin): MessageEvent {
  const key = readKey(objectAt(value, 'key') ?? value);
  const inner = contentOfMessage(message, key.id);
  const isChange = inner?.type === 'edit' || inner?.type === 'delete';
  const content = isChange ? inner : ({ type: 'edit', targetId: key.id, content: inner } as const);
  return changeOf(value, origin, { key, content, version: `edited:${fingerprint(message).slice(0, 16)}` });
}

interface Change {
  readonly key: MessageKey;
  readonly content: InboundContent;
  /** Put after the message's own key, since this is another event. */
  readonly version: string;
}

function changeOf(value: JsonValue, origin: Origin, { key, content, version }: Change): MessageEvent {
  return present({
    kind: 'message',
    type: key.isFromMe ? 'echo' : content.type,
    key: `${origin.keyOf(key)}:${version}`,
    providerMessageId: key.id,
    direction: key.isFromMe ? 'out' : 'in',
    occurredAt: instantOfLong(valueAt(value, 'timestampMs')),
    bindings: origin.bindings,
    path: origin.path,
    customer: key.customer,
    groupId: key.chat.kind === 'group' ? key.chat.text : undefined,
    content,
  });
}
