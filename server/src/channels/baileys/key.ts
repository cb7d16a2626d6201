import type { Identity } from '@switchyard/contract';
import { identitiesOfJids, type Jid, parseJid } from '../jid/index.ts';
import { idAt, type JsonValue, textAt, Unreadable, valueAt } from '../reading/index.ts';

/** A message's key: chat, side and id, and the author in a group. */
export interface MessageKey {
  readonly chat: Jid;
  /** As it came: the same chat may be written as phone or as LID. */
  readonly remoteJid: string;
  readonly isFromMe: boolean;
  readonly id: string;
  /** Absent in a direct chat, where it is missing or `""`. */
  readonly participant: string | undefined;
  /** Who the customer is: the chat's other side, or the author in a group. Nobody for our own words in a group. */
  readonly customer: readonly Identity[];
}

/** Refuses, as `Unreadable`, a key without id or chat: nothing could be said about such a message. */
export function readKey(key: JsonValue | undefined): MessageKey {
  const id = idAt(key, 'id');
  const remoteJid = textAt(key, 'remoteJid')?.trim();
  const chat = parseJid(remoteJid);
  if (id === undefined) throw new Unreadable('the message has no key.id');
  if (!remoteJid || !chat) throw new Unreadable('the message has no key.remoteJid');
  const isFromMe = isTrue(valueAt(key, 'fromMe'));
  const participant = textAt(key, 'participant')?.trim() || undefined;
  return { chat, remoteJid, isFromMe, id, participant, customer: customerOf(key, chat, isFromMe) };
}

/** The parts of the event key that the message gives: chat, side, id and, in a group, author. */
export function keyParts(key: MessageKey): readonly string[] {
  const parts = [key.remoteJid, String(key.isFromMe), key.id];
  return key.participant ? [...parts, key.participant] : parts;
}

/**
 * The phone stands beside a LID under several names: `remoteJidAlt` and `participantAlt` (Baileys 7, Evolution 2.3),
 * `senderPn` and `participantPn` before. The sender's ones are ours when the message is ours.
 */
function customerOf(key: JsonValue | undefined, chat: Jid, isFromMe: boolean): readonly Identity[] {
  const read = (...names: readonly string[]) => names.map((name) => textAt(key, name));
  if (chat.kind === 'group') {
    if (isFromMe) return [];
    const names = ['participant', 'participantAlt', 'participantPn', 'participantLid', 'senderPn', 'senderLid'];
    return identitiesOfJids(read(...names));
  }
  return identitiesOfJids(isFromMe ? read('remoteJid', 'remoteJidAlt') : read(...directNames));
}

const directNames = ['remoteJid', 'remoteJidAlt', 'senderPn', 'senderLid'];

function isTrue(value: JsonValue | undefined): boolean {
  return value === true || value === 'true';
}
