/**
 * What became of a message. The numbers are those of Baileys' `WebMessageInfo.Status`; whatsapp-web.js counts one lower,
 * so numbers are never read without knowing whose they are.
 */
import type { StatusType } from '@switchyard/contract';
import type { JsonValue } from '../reading/index.ts';

export interface Acknowledgement {
  /** The provider's name for it, part of the event's key. */
  readonly name: string;
  readonly type: StatusType;
}

const baileysNames = ['ERROR', 'PENDING', 'SERVER_ACK', 'DELIVERY_ACK', 'READ', 'PLAYED'] as const;

/** Evolution's and Baileys' names, and those of whatsapp-web.js and WAHA. */
const types: Readonly<Record<string, StatusType>> = {
  ERROR: 'failed',
  PENDING: 'accepted',
  SERVER_ACK: 'sent',
  SERVER: 'sent',
  DELIVERY_ACK: 'delivered',
  DEVICE: 'delivered',
  READ: 'read',
  PLAYED: 'played',
  // Evolution says so of every state it has no name for, also after an edit (its issue #2010): not proof of a deletion.
  DELETED: 'deleted',
};

export function acknowledgementOfName(name: string): Acknowledgement {
  const upper = name.trim().toUpperCase();
  return { name: upper, type: Object.hasOwn(types, upper) ? (types[upper] ?? 'unknown') : 'unknown' };
}

/** A name, or a number as Baileys counts; undefined where there is neither. */
export function acknowledgementOf(status: JsonValue | undefined): Acknowledgement | undefined {
  if (typeof status === 'number') return acknowledgementOfName(baileysNames[status] ?? String(status));
  if (typeof status !== 'string' || status.trim() === '') return undefined;
  return acknowledgementOfName(/^\d$/.test(status) ? (baileysNames[Number(status)] ?? status) : status);
}
