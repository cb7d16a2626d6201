/** What happens to the instance itself, and news that is kept but moves no message. */
import type { AccountEvent, AccountEventType } from '@switchyard/contract';
import { fingerprint, idAt, type JsonValue, objectAt, type Part, present, textAt } from '../reading/index.ts';
import { connectionFacts, connectionOf } from './connection.ts';
import type { Envelope } from './envelope.ts';
import type { EvolutionEvent } from './event-names.ts';
import { factsOf } from './facts.ts';

/** Everything that is no message and no receipt. */
export const accountTypes: Readonly<Partial<Record<EvolutionEvent, AccountEventType>>> = {
  'connection.update': 'connection',
  'status.instance': 'connection',
  'logout.instance': 'connection',
  'remove.instance': 'connection',
  'qrcode.updated': 'qr',
  'application.startup': 'account',
  'instance.create': 'account',
  'instance.delete': 'account',
  'contacts.set': 'contact',
  'contacts.upsert': 'contact',
  'contacts.update': 'contact',
  'presence.update': 'account',
  'chats.set': 'account',
  'chats.upsert': 'account',
  'chats.update': 'account',
  'chats.delete': 'account',
  'groups.upsert': 'account',
  'groups.update': 'account',
  'group.update': 'account',
  'group-participants.update': 'account',
  'labels.edit': 'account',
  'labels.association': 'account',
  call: 'call',
  'typebot.start': 'account',
  'typebot.change-status': 'account',
  error: 'error',
};

export function accountEvent(part: Part, envelope: Envelope, type: AccountEventType): AccountEvent {
  const { value } = part;
  const isConnection = type === 'connection';
  return present({
    kind: 'account',
    type,
    name: envelope.name,
    key: keyOf(part, envelope, type),
    // The envelope's time is the server's local time under a false zone; the inbox knows when it came.
    occurredAt: null,
    bindings: envelope.bindings,
    path: part.path,
    connection: isConnection ? connectionOf(envelope.event, value) : undefined,
    qr: type === 'qr' ? qrOf(value) : undefined,
    facts: { ...factsOf(value), ...(isConnection ? connectionFacts(value) : {}) },
  });
}

/**
 * Connection and QR: event and `date_time`. Others may come several within one millisecond, so their data tells them
 * apart too.
 */
function keyOf(part: Part, envelope: Envelope, type: AccountEventType): string {
  const digest = fingerprint(part.value).slice(0, 16);
  if (type === 'connection' || type === 'qr') return `${envelope.name}:${envelope.dateTime ?? digest}`;
  const callId = type === 'call' ? idAt(part.value, 'id') : undefined;
  if (callId !== undefined) return `call:${callId}:${idAt(part.value, 'status') ?? ''}`;
  return [envelope.name, ...(envelope.dateTime ? [envelope.dateTime] : []), digest].join(':');
}

/** All null when the limit of codes is reached: then `message` and `statusCode` are among the facts. */
export function qrOf(data: JsonValue): NonNullable<AccountEvent['qr']> {
  const qr = objectAt(data, 'qrcode') ?? data;
  return {
    code: textAt(qr, 'code') || null,
    pairingCode: textAt(qr, 'pairingCode') || null,
    image: textAt(qr, 'base64') || null,
  };
}
