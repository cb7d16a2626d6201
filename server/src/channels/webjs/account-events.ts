/**
 * What happens to the session. It is stopped; started, it connects, and where it has no credentials it shows a QR code
 * (or asks for a passkey) until a person acts; then it works, until it is stopped or fails. Names are WAHA's session
 * statuses, which the companion uses too.
 */
import type { AccountEvent, AccountEventType } from '@switchyard/contract';
import {
  fingerprint,
  instantOf,
  isObject,
  type JsonValue,
  numberAt,
  type Part,
  present,
  textAt,
  valueAt,
} from '../reading/index.ts';
import { type Envelope, keyOf } from './envelope.ts';

type Connection = NonNullable<AccountEvent['connection']>;

const connectionOfStatus: Readonly<Record<string, Connection>> = {
  STOPPED: 'disconnected',
  DISCONNECTED: 'disconnected',
  LOGGED_OUT: 'disconnected',
  STARTING: 'connecting',
  SCAN_QR_CODE: 'connecting',
  WORKING: 'connected',
  CONNECTED: 'connected',
  FAILED: 'error',
};

/** Facts beside which `data` and the like are kept as they are; codes belong to the QR event. */
const leftOut = new Set(['qr', 'image', 'base64', '_data']);

export function sessionStatusOf(part: Part, envelope: Envelope): AccountEvent {
  const connection = connectionOfSessionStatus(textAt(part.value, 'status') ?? '');
  return { ...accountEvent(part, envelope, 'connection'), connection };
}

export function connectionOfSessionStatus(text: string): Connection {
  const status = text.toUpperCase();
  const known = Object.hasOwn(connectionOfStatus, status) ? connectionOfStatus[status] : undefined;
  return known ?? (status.startsWith('PASSKEY_') ? 'connecting' : 'error');
}

/** `code` is what a QR image encodes; `image` the picture as a data URL. */
export function sessionQrOf(part: Part, envelope: Envelope): AccountEvent {
  const { value } = part;
  const qr = {
    code: textAt(value, 'code') || textAt(value, 'qr') || null,
    pairingCode: textAt(value, 'pairingCode') || null,
    image: textAt(value, 'image') || textAt(value, 'base64') || null,
  };
  const event = accountEvent(part, envelope, 'qr');
  const { code: _shown, ...facts } = event.facts;
  return { ...event, qr, facts };
}

export function accountEvent(part: Part, envelope: Envelope, type: AccountEventType): AccountEvent {
  return {
    kind: 'account',
    type,
    name: envelope.event,
    // Of our companion the event's own id; else the content, which retries repeat.
    key: keyOf(envelope, envelope.event, envelope.id ?? digestOf(part, envelope)),
    occurredAt: instantOf(valueAt(part.value, 'timestamp')) ?? envelope.occurredAt,
    bindings: envelope.bindings,
    path: part.path,
    facts: factsOf(part.value),
  };
}

function digestOf(part: Part, envelope: Envelope): string {
  return fingerprint([part.value, envelope.occurredAt]).slice(0, 16);
}

function factsOf(payload: JsonValue): AccountEvent['facts'] {
  if (!isObject(payload)) return payload === null ? {} : { value: payload };
  return Object.fromEntries(Object.entries(payload).filter(([name]) => !leftOut.has(name)));
}

const connectionOfSocket: Readonly<Record<string, Connection>> = {
  connecting: 'connecting',
  open: 'connected',
  close: 'disconnected',
};

/** Baileys' `DisconnectReason`s after which the socket must not connect again: logged out, forbidden. */
const finalReasons = new Set([401, 403]);

/** Baileys' own `connection.update`: a QR code, or a change of the socket. */
export function baileysConnectionOf(part: Part, envelope: Envelope): AccountEvent {
  const { value, path } = part;
  const code = textAt(value, 'qr');
  const state = textAt(value, 'connection') ?? '';
  const reason = numberAt(value, 'lastDisconnect', 'error', 'output', 'statusCode');
  const reconnects = state === 'close' ? !finalReasons.has(reason ?? 0) : undefined;
  const known = Object.hasOwn(connectionOfSocket, state) ? connectionOfSocket[state] : undefined;
  return present({
    kind: 'account',
    type: code ? 'qr' : 'connection',
    name: 'connection.update',
    key: keyOf(envelope, 'connection.update', envelope.id ?? digestOf(part, envelope)),
    occurredAt: envelope.occurredAt,
    bindings: envelope.bindings,
    path,
    connection: code ? undefined : (known ?? 'connecting'),
    qr: code ? { code, pairingCode: null, image: null } : undefined,
    facts: present({ state: state || undefined, statusReason: reason, reconnects }),
  });
}
