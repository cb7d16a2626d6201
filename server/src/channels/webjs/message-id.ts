/** whatsapp-web.js' id of a message: `true_15551230000@c.us_3EB0…`, in a group with the author behind it. */
export interface MessageIdParts {
  readonly isFromMe: boolean;
  readonly chatId: string;
  readonly participant: string | undefined;
}

const shape = /^(true|false)_([^_\s]+@[a-z.]+)_([^_\s]+)(?:_(\S+@[a-z.]+))?$/i;

/** Undefined where the id is of another form; it is an id all the same. */
export function parseMessageId(id: string): MessageIdParts | undefined {
  const match = shape.exec(id);
  if (!match) return undefined;
  return { isFromMe: match[1]?.toLowerCase() === 'true', chatId: match[2] ?? '', participant: match[4] };
}
