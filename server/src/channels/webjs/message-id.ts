/**
 * whatsapp-web.js writes a message's id together with its side and chat, `true_15550001111@c.us_3EB0…`, in a group with
 * the author behind it. Replies, reactions and receipts may name the same message with its chat written otherwise (phone
 * or LID) or bare, so only the bare id is compared; the event's key keeps the whole.
 */
export interface MessageIdParts {
  readonly isFromMe: boolean;
  readonly chatId: string;
  readonly bareId: string;
  readonly participant: string | undefined;
}

const shape = /^(true|false)_([^_\s]+@[a-z.]+)_(\S+?)(?:_([^_\s]+@[a-z.]+))?$/i;

/** Undefined where the id is of another form; it is an id all the same. */
export function parseMessageId(id: string): MessageIdParts | undefined {
  const [, side, chatId, bareId, participant] = shape.exec(id) ?? [];
  if (side === undefined || chatId === undefined || bareId === undefined) return undefined;
  return { isFromMe: side.toLowerCase() === 'true', chatId, bareId, participant };
}

export function bareMessageId(id: string): string {
  return parseMessageId(id)?.bareId ?? id;
}

/** Our attempts are uuids, bare or as people see them; WhatsApp's own clients make ids of capital hex digits. */
const attemptShape = /^(att_[0-9a-f]{32}|(att_)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
/** As our companion writes an attempt, so that the id looks like any other: the digits of a uuid of version 7. */
const capitalShape = /^[0-9A-F]{12}7[0-9A-F]{3}[89AB][0-9A-F]{15}$/;

/**
 * The companion sends a message under our attempt's id, so the id of an own message tells the attempt. Another client's id
 * of capital digits may have this shape by chance: then it is the attempt of nothing, and the message's id alone counts.
 */
export function attemptOfMessageId(id: string): string | undefined {
  const bareId = bareMessageId(id);
  if (attemptShape.test(bareId)) return bareId;
  return capitalShape.test(bareId) ? `att_${bareId.toLowerCase()}` : undefined;
}
