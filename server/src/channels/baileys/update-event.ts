/** What became of a message that had its own event already: receipts, and in passing edits and deletions. */
import type { Identity, InboundEvent, StatusEvent } from '@switchyard/contract';
import { identitiesOfJids, parseJid } from '../jid/index.ts';
import {
  fingerprint,
  idAt,
  instantOf,
  type JsonValue,
  objectAt,
  present,
  textAt,
  Unreadable,
  valueAt,
} from '../reading/index.ts';
import { type Acknowledgement, acknowledgementOf, acknowledgementOfName } from './acknowledgement.ts';
import { deletionOf, updatedContentOf } from './change-event.ts';
import { instantOfLong } from './long.ts';
import type { Origin } from './origin.ts';

/**
 * Baileys and Evolution v1 in part give `{key, update}`, Evolution v2 `{keyId, remoteJid, fromMe, status}`, v1 the key's
 * members with `status` and `datetime` beside them. The chat of one message may be its phone here and its LID there, so
 * only the id identifies it.
 */
export function updateEventOf(value: JsonValue, origin: Origin): InboundEvent {
  const acknowledgement = acknowledgementOf(valueAt(value, 'status') ?? valueAt(value, 'update', 'status'));
  if (acknowledgement) return statusOf(value, origin, { acknowledgement, occurredAt: updateTime(value) });
  const message = objectAt(value, 'update', 'message');
  if (message) return updatedContentOf(value, message, origin);
  const stub = valueAt(value, 'update', 'messageStubType') ?? valueAt(value, 'messageStubType');
  if (stub === 1 || stub === 'REVOKE') return deletionOf(value, origin);
  return {
    kind: 'unsupported',
    type: valueAt(value, 'pollUpdates') === undefined ? 'messages.update' : 'poll vote',
    key: origin.receiptKeyOf(idOf(value), fingerprint(value).slice(0, 16)),
    occurredAt: null,
    bindings: origin.bindings,
    path: origin.path,
    reason: 'the update says no status',
  };
}

const receiptTimes = [
  ['playedTimestamp', 'PLAYED'],
  ['readTimestamp', 'READ'],
  ['receiptTimestamp', 'DELIVERY_ACK'],
] as const;

/** `{key, receipt}`: one recipient's receipt, the furthest of its times. In a group each member has one. */
export function receiptEventOf(value: JsonValue, origin: Origin): StatusEvent {
  const receipt = valueAt(value, 'receipt');
  const [member, name] = receiptTimes.find(([time]) => instantOfLong(valueAt(receipt, time)) !== null) ?? [];
  if (!member || !name) throw new Unreadable('the receipt has no time');
  const occurredAt = instantOfLong(valueAt(receipt, member));
  const reader = textAt(receipt, 'userJid') || undefined;
  const event = statusOf(value, origin, { acknowledgement: acknowledgementOfName(name), occurredAt });
  if (reader === undefined) return event;
  return { ...event, key: `${event.key}:${reader}`, customer: identitiesOfJids([reader]) };
}

interface Receipt {
  readonly acknowledgement: Acknowledgement;
  readonly occurredAt: string | null;
}

function statusOf(value: JsonValue, origin: Origin, { acknowledgement, occurredAt }: Receipt): StatusEvent {
  const id = idOf(value);
  return present({
    kind: 'status',
    type: acknowledgement.type,
    key: origin.receiptKeyOf(id, acknowledgement.name),
    providerMessageId: id,
    occurredAt,
    bindings: origin.bindings,
    path: origin.path,
    customer: customerOf(objectAt(value, 'key') ?? value),
    attemptId: origin.attemptOf?.(id),
    errors: acknowledgement.type === 'failed' ? [{ code: 'ERROR', title: 'WhatsApp refused the message' }] : [],
  });
}

function customerOf(key: JsonValue): readonly Identity[] {
  const isGroup = parseJid(textAt(key, 'remoteJid'))?.kind === 'group';
  const names = isGroup ? ['participant', 'participantAlt'] : ['remoteJid', 'remoteJidAlt'];
  return identitiesOfJids(names.map((name) => textAt(key, name)));
}

/** Milliseconds in Evolution v1; a text there would be local time under a false zone. */
function updateTime(value: JsonValue): string | null {
  const datetime = valueAt(value, 'datetime');
  return typeof datetime === 'number' ? instantOf(datetime) : null;
}

function idOf(value: JsonValue): string {
  const id = idAt(value, 'keyId') ?? idAt(value, 'key', 'id') ?? idAt(value, 'id');
  if (id === undefined) throw new Unreadable('the update names no message');
  return id;
}
