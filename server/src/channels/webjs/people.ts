/** Who a payload is about: the chat, its side, its author. */
import type { Identity } from '@switchyard/contract';
import { identitiesOfJids, type Jid, parseJid } from '../jid/index.ts';
import { idAt, type JsonValue, textAt, valueAt } from '../reading/index.ts';
import { parseMessageId } from './message-id.ts';

export interface People {
  readonly chat: Jid | undefined;
  readonly isFromMe: boolean;
  readonly customer: readonly Identity[];
}

/** What the payload says itself goes before what its id implies. */
export function peopleOf(payload: JsonValue): People {
  const parts = parseMessageId(idAt(payload, 'id') ?? '');
  const fromMe = valueAt(payload, 'fromMe');
  const isFromMe = typeof fromMe === 'boolean' ? fromMe : (parts?.isFromMe ?? false);
  const [from, to] = [textAt(payload, 'from'), textAt(payload, 'to')];
  const otherSide = isFromMe ? to : from;
  const chat = parseJid(textAt(payload, 'chatId') || parts?.chatId || otherSide);
  const stated = [phoneJid(textAt(payload, 'phone')), lidJid(textAt(payload, 'lid'))];
  if (chat?.kind !== 'group') return { chat, isFromMe, customer: identitiesOfJids([...stated, chat?.text]) };
  const author = textAt(payload, 'participant') || textAt(payload, 'author') || parts?.participant;
  return { chat, isFromMe, customer: isFromMe ? [] : identitiesOfJids([...stated, author]) };
}

function phoneJid(phone: string | undefined): string | undefined {
  const digits = phone?.replace(/@.*$/, '').replace(/\D/g, '');
  return digits ? `${digits}@c.us` : undefined;
}

function lidJid(lid: string | undefined): string | undefined {
  if (!lid) return undefined;
  return lid.includes('@') ? lid : `${lid}@lid`;
}
