import type { InboundEvent, MessageEvent, UnsupportedEvent } from '@switchyard/contract';
import type { InboundContent } from '../inbound-content.ts';
import { silenceOf } from '../jid/index.ts';
import { idAt, type JsonValue, numberAt, objectAt, present, textAt, valueAt } from '../reading/index.ts';
import { contentOf } from './content.ts';
import { contextOf } from './context.ts';
import { type MessageKey, readKey } from './key.ts';
import { instantOfLong } from './long.ts';
import type { Origin } from './origin.ts';
import { mediaExtrasOf, unwrap } from './unwrap.ts';

/** A Baileys message as an event; an own one is an echo. Throws `Unreadable` where id or chat is missing. */
export function messageEventOf(message: JsonValue, origin: Origin): InboundEvent {
  const key = readKey(valueAt(message, 'key'));
  const reason = silenceOf(key.chat) ?? (isFromNobody(key) ? 'the message names no author' : undefined);
  if (reason) return unsupported(message, key, origin, reason);
  const inner = objectAt(message, 'message');
  const unwrapped = unwrap(inner, textAt(message, 'messageType'));
  const content = unwrapped
    ? contentOf(unwrapped, { messageId: key.id, ...mediaExtrasOf(inner) })
    : contentOfStub(message);
  const context = contextOf(unwrapped?.body ?? null, objectAt(message, 'contextInfo'));
  return { ...eventAround(message, key, origin), type: key.isFromMe ? 'echo' : content.type, content, ...context };
}

function eventAround(message: JsonValue, key: MessageKey, origin: Origin) {
  return present({
    kind: 'message',
    key: origin.keyOf(key),
    providerMessageId: key.id,
    direction: key.isFromMe ? 'out' : 'in',
    occurredAt: instantOfLong(valueAt(message, 'messageTimestamp')),
    bindings: origin.bindings,
    path: origin.path,
    customer: key.customer,
    // On an own message it is our own name.
    profileName: key.isFromMe ? undefined : textAt(message, 'pushName') || undefined,
    groupId: key.chat.kind === 'group' ? key.chat.text : undefined,
    attemptId: key.isFromMe ? origin.attemptOf?.(key.id) : undefined,
    isHistory: origin.isHistory || undefined,
  }) satisfies Omit<MessageEvent, 'type' | 'content'>;
}

function isFromNobody(key: MessageKey): boolean {
  return key.chat.kind !== 'group' && key.customer.length === 0;
}

/** Messages without content: 2 is one that could not be decrypted yet, the others are notices (group changes, calls). */
function contentOfStub(message: JsonValue): InboundContent {
  const stub = valueAt(message, 'messageStubType');
  if (stub === undefined) return { type: 'unsupported', name: 'empty' };
  if (stub === 'CIPHERTEXT' || numberAt(stub) === 2) return { type: 'unsupported', name: 'ciphertext' };
  return { type: 'system', name: `stub ${idAt(stub) ?? 'unknown'}` };
}

function unsupported(message: JsonValue, key: MessageKey, origin: Origin, reason: string): UnsupportedEvent {
  return {
    kind: 'unsupported',
    type: key.chat.kind,
    key: origin.keyOf(key),
    occurredAt: instantOfLong(valueAt(message, 'messageTimestamp')),
    bindings: origin.bindings,
    path: origin.path,
    reason,
  };
}
