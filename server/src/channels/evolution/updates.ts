/** `messages.update`: receipts, and in passing edits and deletions. */
import type { InboundEvent, StatusEvent } from '@switchyard/contract';
import { type Acknowledgement, acknowledgementOf, contentOfMessage, readKey } from '../baileys/index.ts';
import { identitiesOfJids, parseJid } from '../jid/index.ts';
import { fingerprint, idAt, instantOf, objectAt, type Part, textAt, Unreadable, valueAt } from '../reading/index.ts';
import type { Envelope } from './envelope.ts';
import { changedMessage } from './messages.ts';

/**
 * v2 gives `{keyId, remoteJid, fromMe, status}`, v1 the key's members with `status` and `datetime` beside them, Baileys
 * `{key, update}`. The chat of one message may be its phone here and its LID there, so only the id identifies it.
 */
export function updatedMessage(part: Part, envelope: Envelope): InboundEvent {
  const { value } = part;
  const acknowledgement = acknowledgementOf(valueAt(value, 'status') ?? valueAt(value, 'update', 'status'));
  if (acknowledgement) return receipt(part, envelope, acknowledgement);
  if (objectAt(value, 'update', 'message')) return edit(part, envelope);
  const stub = valueAt(value, 'update', 'messageStubType') ?? valueAt(value, 'messageStubType');
  if (stub === 1 || stub === 'REVOKE') return deletion(part, envelope);
  return {
    kind: 'unsupported',
    type: valueAt(value, 'pollUpdates') === undefined ? 'messages.update' : 'poll vote',
    key: `${idOf(part)}:${fingerprint(value).slice(0, 16)}`,
    occurredAt: null,
    bindings: envelope.bindings,
    path: part.path,
    reason: 'the update says no status',
  };
}

function receipt(part: Part, envelope: Envelope, acknowledgement: Acknowledgement): StatusEvent {
  const id = idOf(part);
  const key = objectAt(part.value, 'key') ?? part.value;
  const isGroup = parseJid(textAt(key, 'remoteJid'))?.kind === 'group';
  const names = isGroup ? ['participant', 'participantAlt'] : ['remoteJid', 'remoteJidAlt'];
  const datetime = valueAt(part.value, 'datetime');
  return {
    kind: 'status',
    type: acknowledgement.type,
    key: `${id}:${acknowledgement.name}`,
    providerMessageId: id,
    // v1 gives milliseconds; a text would be local time under a false zone.
    occurredAt: typeof datetime === 'number' ? instantOf(datetime) : null,
    bindings: envelope.bindings,
    path: part.path,
    customer: identitiesOfJids(names.map((name) => textAt(key, name))),
    errors: acknowledgement.type === 'failed' ? [{ code: 'ERROR', title: 'WhatsApp refused the message' }] : [],
  };
}

function deletion(part: Part, envelope: Envelope): InboundEvent {
  const key = readKey(objectAt(part.value, 'key') ?? part.value);
  return changedMessage(part, envelope, { key, content: { type: 'delete', targetId: key.id }, version: 'deleted' });
}

function edit(part: Part, envelope: Envelope): InboundEvent {
  const key = readKey(objectAt(part.value, 'key') ?? part.value);
  const message = objectAt(part.value, 'update', 'message');
  const inner = contentOfMessage(message, key.id);
  const isChange = inner?.type === 'edit' || inner?.type === 'delete';
  const content = isChange ? inner : ({ type: 'edit', targetId: key.id, content: inner } as const);
  return changedMessage(part, envelope, { key, content, version: `edited:${fingerprint(message).slice(0, 16)}` });
}

function idOf(part: Part): string {
  const id = idAt(part.value, 'keyId') ?? idAt(part.value, 'key', 'id') ?? idAt(part.value, 'id');
  if (id === undefined) throw new Unreadable('the update names no message');
  return id;
}
