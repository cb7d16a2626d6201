/** Messages of the companion and of WAHA, and what happens to them. */
import type { InboundEvent, MessageEvent, StatusEvent } from '@switchyard/contract';
import type { InboundContent } from '../inbound-content.ts';
import { silenceOf } from '../jid/index.ts';
import {
  fingerprint,
  flagAt,
  idAt,
  instantOf,
  type JsonValue,
  type Part,
  present,
  textAt,
  Unreadable,
  valueAt,
} from '../reading/index.ts';
import { webAcknowledgementOf } from './acknowledgement.ts';
import { contentOf } from './content.ts';
import { type Envelope, keyOf } from './envelope.ts';
import { attemptOfMessageId, bareMessageId } from './message-id.ts';
import { peopleOf } from './people.ts';

/** `message`, and WAHA's `message.any` with our own ones among them. */
export function messageOf(part: Part, envelope: Envelope): InboundEvent {
  const id = messageIdOf(part.value);
  const { chat, customer } = peopleOf(part.value);
  const silence = chat && silenceOf(chat);
  const isFromNobody = chat?.kind !== 'group' && customer.length === 0;
  const reason = silence ?? (isFromNobody ? 'the message names no author' : undefined);
  if (!reason) return messageEvent(part, envelope, { id, content: contentOf(part.value, id) });
  const type = chat?.kind ?? 'unknown';
  const { bindings } = envelope;
  const occurredAt = timeOf(part.value, envelope);
  return { kind: 'unsupported', type, key: keyOf(envelope, id), occurredAt, bindings, path: part.path, reason };
}

/** Its own id is that of the reaction; what is reacted to stands in `reaction.messageId`. No text takes it away. */
export function reactionOf(part: Part, envelope: Envelope): InboundEvent {
  const targetId = idAt(part.value, 'reaction', 'messageId');
  if (targetId === undefined) throw new Unreadable('the reaction names no message');
  const emoji = textAt(part.value, 'reaction', 'text') || null;
  const content: InboundContent = { type: 'reaction', targetId: bareMessageId(targetId), emoji };
  return messageEvent(part, envelope, { id: messageIdOf(part.value), content });
}

/** Ours: `id` is the edited message's. WAHA: `editedMessageId` is. A message may be edited many times. */
export function editOf(part: Part, envelope: Envelope): InboundEvent {
  const id = messageIdOf(part.value);
  const targetId = bareMessageId(idAt(part.value, 'editedMessageId') ?? id);
  const inner = contentOf(part.value, targetId);
  const content: InboundContent = { type: 'edit', targetId, content: inner.type === 'unsupported' ? null : inner };
  const version = fingerprint([textAt(part.value, 'body') ?? '', valueAt(part.value, 'timestamp') ?? '']).slice(0, 16);
  return messageEvent(part, envelope, { id, content, version: `edited:${version}` });
}

/**
 * Ours: `id` is the message taken back. WAHA gives it as it was and as it is (`before`, `after`), whose ids need not
 * match; `before` is the one we know, where there is one.
 */
export function revocationOf(part: Part, envelope: Envelope): InboundEvent {
  const before = valueAt(part.value, 'before');
  const after = valueAt(part.value, 'after');
  const targetId =
    idAt(part.value, 'revokedMessageId') ?? idAt(before, 'id') ?? idAt(part.value, 'id') ?? idAt(after, 'id');
  if (targetId === undefined) throw new Unreadable('the revocation names no message');
  const about = [part.value, after, before].find((value) => idAt(value, 'id') !== undefined) ?? part.value;
  const content: InboundContent = { type: 'delete', targetId: bareMessageId(targetId) };
  return messageEvent({ value: about, path: part.path }, envelope, { id: targetId, content, version: 'revoked' });
}

/** Acknowledgements by name. The id is our attempt's where the companion sent it under that. */
export function acknowledgementEventOf(part: Part, envelope: Envelope): StatusEvent {
  const id = messageIdOf(part.value);
  const acknowledgement = webAcknowledgementOf(part.value, envelope.engine);
  if (!acknowledgement) throw new Unreadable('the acknowledgement has neither a name nor a number');
  const title = textAt(part.value, 'error', 'message') ?? 'WhatsApp refused the message';
  const error = { code: idAt(part.value, 'error', 'code') ?? 'ERROR', title };
  return present({
    kind: 'status',
    type: acknowledgement.type,
    key: keyOf(envelope, id, acknowledgement.name),
    providerMessageId: bareMessageId(id),
    occurredAt: timeOf(part.value, envelope),
    bindings: envelope.bindings,
    path: part.path,
    customer: peopleOf(part.value).customer,
    attemptId: attemptOfMessageId(id),
    errors: acknowledgement.type === 'failed' ? [error] : [],
  });
}

interface Facts {
  readonly id: string;
  readonly content: InboundContent;
  /** For an event about a message that has its own: put behind the key. */
  readonly version?: string;
}

function messageEvent(part: Part, envelope: Envelope, { id, content, version }: Facts): MessageEvent {
  const { value, path } = part;
  const { chat, isFromMe, customer } = peopleOf(value);
  const replyTo = idAt(value, 'replyTo', 'id') ?? idAt(value, 'replyTo');
  const profileName = ['notifyName', 'pushName'].map((name) => textAt(value, name) || textAt(value, '_data', name));
  return present({
    kind: 'message',
    type: isFromMe ? 'echo' : content.type,
    key: keyOf(envelope, id, version),
    providerMessageId: bareMessageId(id),
    direction: isFromMe ? 'out' : 'in',
    occurredAt: timeOf(value, envelope),
    bindings: envelope.bindings,
    path,
    customer,
    // On an own message it is our own name.
    profileName: isFromMe ? undefined : profileName.find((name) => !!name),
    groupId: chat?.kind === 'group' ? chat.text : undefined,
    content,
    replyTo: replyTo === undefined ? undefined : bareMessageId(replyTo),
    isForwarded: flagAt(value, 'isForwarded') || undefined,
    attemptId: isFromMe ? attemptOfMessageId(id) : undefined,
  });
}

/** As the provider writes it, side and chat included. */
function messageIdOf(payload: JsonValue): string {
  const id = idAt(payload, 'id') ?? idAt(payload, 'id', '_serialized');
  if (id === undefined) throw new Unreadable('the message has no id');
  return id;
}

function timeOf(payload: JsonValue, envelope: Envelope): string | null {
  return instantOf(valueAt(payload, 'timestamp')) ?? envelope.occurredAt;
}
