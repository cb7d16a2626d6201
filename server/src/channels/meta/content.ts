/** What a message holds, by its `type` (Meta, "Cloud API: webhooks, messages"). */
import type { ContactCard, Media, MediaType, MessageContent, OrderItem } from '@switchyard/contract';
import {
  arrayAt,
  flagAt,
  idAt,
  type JsonObject,
  type JsonValue,
  numberAt,
  objectAt,
  present,
  textAt,
} from '../reading/index.ts';

/** What can come in: all but the kinds that only we send. */
export type InboundContent = Exclude<MessageContent, { type: 'buttons' | 'list' | 'template' }>;

/** Reads the member that belongs to the type; undefined where what makes it one is missing. */
type ReadContent = (message: JsonValue) => InboundContent | undefined;

const readers: Readonly<Record<string, ReadContent>> = {
  text: readText,
  image: (message) => readMedia(message, 'image'),
  video: (message) => readMedia(message, 'video'),
  audio: (message) => readMedia(message, 'audio'),
  document: (message) => readMedia(message, 'document'),
  sticker: (message) => readMedia(message, 'sticker'),
  location: readLocation,
  contacts: readContacts,
  reaction: readReaction,
  interactive: readInteractive,
  button: readButton,
  order: readOrder,
  system: readSystem,
  edit: readEdit,
  revoke: readRevoke,
};

/** Never fails: a type that is not known, or lacks what makes it one, is `unsupported` under its name. */
export function readContent(message: JsonValue): InboundContent {
  const type = textAt(message, 'type') ?? Object.keys(readers).find((name) => objectAt(message, name)) ?? 'unnamed';
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  return read?.(message) ?? unsupported(message, type);
}

function unsupported(message: JsonValue, type: string): InboundContent {
  const [error] = arrayAt(message, 'errors');
  const text = textAt(error, 'error_data', 'details') ?? textAt(error, 'details') ?? textAt(error, 'title');
  return present({ type: 'unsupported', name: textAt(message, 'unsupported', 'type') ?? type, text });
}

function readText(message: JsonValue): InboundContent | undefined {
  const text = textAt(message, 'text', 'body');
  return text === undefined ? undefined : { type: 'text', text };
}

function readMedia(message: JsonValue, type: MediaType): InboundContent | undefined {
  const member = objectAt(message, type);
  if (!member) return undefined;
  const caption = textAt(member, 'caption');
  return present({ type, media: mediaOf(member), caption, isVoice: flagAt(member, 'voice') ? true : undefined });
}

function mediaOf(member: JsonObject): Media {
  return present({
    id: idAt(member, 'id'),
    url: idAt(member, 'url') ?? idAt(member, 'link'),
    mimeType: idAt(member, 'mime_type'),
    sha256: idAt(member, 'sha256'),
    fileName: idAt(member, 'filename'),
    sizeBytes: numberAt(member, 'file_size'),
  });
}

function readLocation(message: JsonValue): InboundContent | undefined {
  const latitude = numberAt(message, 'location', 'latitude');
  const longitude = numberAt(message, 'location', 'longitude');
  if (latitude === undefined || longitude === undefined) return undefined;
  const name = idAt(message, 'location', 'name');
  return present({ type: 'location', latitude, longitude, name, address: idAt(message, 'location', 'address') });
}

function readContacts(message: JsonValue): InboundContent | undefined {
  const contacts = arrayAt(message, 'contacts').map(cardOf);
  return contacts.length === 0 ? undefined : { type: 'contacts', contacts };
}

function cardOf(contact: JsonValue): ContactCard {
  const phones = arrayAt(contact, 'phones').map((phone) => idAt(phone, 'phone') ?? idAt(phone, 'wa_id'));
  const emails = arrayAt(contact, 'emails').map((email) => idAt(email, 'email'));
  const parts = [idAt(contact, 'name', 'first_name'), idAt(contact, 'name', 'last_name')].filter(isText);
  return present({
    name: idAt(contact, 'name', 'formatted_name') ?? parts.join(' '),
    phones: phones.filter(isText),
    emails: emails.filter(isText),
    organisation: idAt(contact, 'org', 'company'),
    vcard: idAt(contact, 'vcard'),
  });
}

function readReaction(message: JsonValue): InboundContent | undefined {
  const targetId = idAt(message, 'reaction', 'message_id');
  if (targetId === undefined) return undefined;
  // No emoji, or an empty one, takes the reaction away.
  return { type: 'reaction', targetId, emoji: idAt(message, 'reaction', 'emoji') ?? null };
}

function readButton(message: JsonValue): InboundContent | undefined {
  const title = textAt(message, 'button', 'text') ?? textAt(message, 'button', 'payload');
  if (title === undefined) return undefined;
  return { type: 'button_reply', id: textAt(message, 'button', 'payload') ?? title, title };
}

function readInteractive(message: JsonValue): InboundContent | undefined {
  const type = textAt(message, 'interactive', 'type') ?? '';
  const reply = objectAt(message, 'interactive', type);
  if (!reply) return undefined;
  if (type === 'button_reply' || type === 'list_reply') return readReply(type, reply);
  if (type === 'nfm_reply') return readForm(reply);
  return { type: 'flow_reply', name: type, answer: JSON.stringify(reply) };
}

function readReply(type: 'button_reply' | 'list_reply', reply: JsonObject): InboundContent | undefined {
  const id = textAt(reply, 'id');
  if (id === undefined) return undefined;
  const title = textAt(reply, 'title') ?? id;
  return type === 'button_reply'
    ? { type, id, title }
    : present({ type, id, title, description: textAt(reply, 'description') });
}

/** `response_json` is JSON inside a string, not surely of an object; kept as the text it is. */
function readForm(reply: JsonObject): InboundContent {
  const answer = textAt(reply, 'response_json') ?? JSON.stringify(reply.response_json ?? null);
  return present({ type: 'flow_reply', name: textAt(reply, 'name') ?? 'flow', answer, text: textAt(reply, 'body') });
}

function readOrder(message: JsonValue): InboundContent | undefined {
  const order = objectAt(message, 'order');
  if (!order) return undefined;
  const items = arrayAt(order, 'product_items')
    .map(orderItemOf)
    .filter((item) => item !== undefined);
  // An empty remark is no remark.
  return present({ type: 'order', catalogId: idAt(order, 'catalog_id'), text: idAt(order, 'text'), items });
}

function orderItemOf(item: JsonValue): OrderItem | undefined {
  const productId = idAt(item, 'product_retailer_id');
  if (productId === undefined) return undefined;
  const price = idAt(item, 'item_price');
  return present({ productId, quantity: numberAt(item, 'quantity') ?? 1, price, currency: idAt(item, 'currency') });
}

function readSystem(message: JsonValue): InboundContent | undefined {
  const system = objectAt(message, 'system');
  if (!system) return undefined;
  const newAddress = idAt(system, 'wa_id') ?? idAt(system, 'new_wa_id') ?? idAt(system, 'user_id');
  return present({ type: 'system', name: idAt(system, 'type') ?? 'system', text: textAt(system, 'body'), newAddress });
}

function readEdit(message: JsonValue): InboundContent | undefined {
  const targetId = idAt(message, 'edit', 'original_message_id');
  if (targetId === undefined) return undefined;
  const content = objectAt(message, 'edit', 'message');
  // An edit inside an edit does not exist, and following it would recurse as deep as the sender likes.
  const isPlain = content !== undefined && textAt(content, 'type') !== 'edit';
  return { type: 'edit', targetId, content: isPlain ? readContent(content) : null };
}

function readRevoke(message: JsonValue): InboundContent | undefined {
  const targetId = idAt(message, 'revoke', 'original_message_id');
  return targetId === undefined ? undefined : { type: 'delete', targetId };
}

function isText(value: string | undefined): value is string {
  return value !== undefined;
}
