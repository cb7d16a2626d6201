/** What a WhatsApp message says: one reader a member name. Source: the `Message` protobuf of Baileys 6.17. */
import type { InboundContent } from '../inbound-content.ts';
import {
  arrayAt,
  idAt,
  isObject,
  type JsonObject,
  type JsonValue,
  numberAt,
  present,
  textAt,
} from '../reading/index.ts';
import { type MediaSource, mediaContent } from './media.ts';
import { protocolContent, type ReadInner, wrappedEdit } from './protocol.ts';
import { buttonReply, interactiveReply, listReply } from './taps.ts';
import { mediaExtrasOf, type Unwrapped, unwrap } from './unwrap.ts';
import { contactOfVcard } from './vcard.ts';

type Reader = (body: JsonValue, source: MediaSource, readInner: ReadInner) => InboundContent | undefined;

const readers: Readonly<Record<string, Reader>> = {
  conversation: (body) => (typeof body === 'string' ? { type: 'text', text: body } : undefined),
  extendedTextMessage: (body) => textFrom(textAt(body, 'text')),
  imageMessage: (body, source) => mediaContent('image', body, source),
  videoMessage: (body, source) => mediaContent('video', body, source),
  ptvMessage: (body, source) => mediaContent('video', body, source),
  audioMessage: (body, source) => mediaContent('audio', body, source),
  documentMessage: (body, source) => mediaContent('document', body, source),
  stickerMessage: (body, source) => mediaContent('sticker', body, source),
  locationMessage: locationContent,
  liveLocationMessage: locationContent,
  contactMessage: (body) => ({ type: 'contacts', contacts: [contactCard(body)] }),
  contactsArrayMessage: (body) => ({ type: 'contacts', contacts: arrayAt(body, 'contacts').map(contactCard) }),
  reactionMessage: reactionContent,
  buttonsResponseMessage: buttonReply,
  templateButtonReplyMessage: buttonReply,
  listResponseMessage: listReply,
  interactiveResponseMessage: interactiveReply,
  pollCreationMessage: pollContent,
  pollCreationMessageV2: pollContent,
  pollCreationMessageV3: pollContent,
  orderMessage: (body) => present({ type: 'order', text: textAt(body, 'message') || undefined, items: [] }),
  productMessage: productContent,
  protocolMessage: protocolContent,
  editedMessage: wrappedEdit,
  // Menus that another business, or we ourselves from elsewhere, have sent: their words are what can be kept.
  buttonsMessage: (body) => textFrom(textAt(body, 'contentText')),
  listMessage: (body) => textFrom(menuText(body)),
  templateMessage: (body) => textFrom(textAt(body, 'hydratedTemplate', 'hydratedContentText')),
  interactiveMessage: (body) => textFrom(textAt(body, 'body', 'text')),
  // Notices that ask for no answer.
  albumMessage: () => ({ type: 'system', name: 'album' }),
  pinInChatMessage: () => ({ type: 'system', name: 'pin' }),
  keepInChatMessage: () => ({ type: 'system', name: 'keep' }),
};

/** The content, with what is known of it where the kind is not: never fails, never throws. */
export function contentOf(unwrapped: Unwrapped | undefined, source: MediaSource): InboundContent {
  if (!unwrapped) return { type: 'unsupported', name: 'empty' };
  const { name, body } = unwrapped;
  const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
  const text = textAt(body, 'text') || textAt(body, 'caption') || undefined;
  return reader?.(body, source, contentOfMessage) ?? present({ type: 'unsupported', name, text });
}

/** The content of a message object inside another: the new text of an edit. Null where there is none. */
export function contentOfMessage(message: JsonObject | undefined, messageId: string): InboundContent | null {
  const unwrapped = unwrap(message);
  return unwrapped ? contentOf(unwrapped, { messageId, ...mediaExtrasOf(message) }) : null;
}

function textFrom(text: string | undefined): InboundContent | undefined {
  return text ? { type: 'text', text } : undefined;
}

/** Title above description; where a list has one line only, some senders write it into both. */
function menuText(body: JsonValue): string {
  const lines = [textAt(body, 'title'), textAt(body, 'description')].map((line) => line?.trim());
  return [...new Set(lines)].filter(Boolean).join('\n');
}

function locationContent(body: JsonValue): InboundContent | undefined {
  const latitude = numberAt(body, 'degreesLatitude');
  const longitude = numberAt(body, 'degreesLongitude');
  if (latitude === undefined || longitude === undefined) return undefined;
  const name = textAt(body, 'name') || textAt(body, 'caption') || undefined;
  return present({ type: 'location', latitude, longitude, name, address: textAt(body, 'address') || undefined });
}

function contactCard(body: JsonValue) {
  return contactOfVcard(textAt(body, 'vcard') ?? '', textAt(body, 'displayName'));
}

/** Whose message is meant stands in `key`; an empty text takes the reaction away. */
function reactionContent(body: JsonValue): InboundContent | undefined {
  const targetId = idAt(body, 'key', 'id');
  if (targetId === undefined) return undefined;
  return { type: 'reaction', targetId, emoji: textAt(body, 'text') || null };
}

function pollContent(body: JsonValue): InboundContent | undefined {
  const title = textAt(body, 'name');
  const options = arrayAt(body, 'options').map((option) => textAt(option, 'optionName') ?? '');
  return title === undefined ? undefined : { type: 'poll', title, options };
}

function productContent(body: JsonValue, source: MediaSource): InboundContent | undefined {
  if (!isObject(body)) return undefined;
  const title = textAt(body, 'product', 'title');
  const text = textAt(body, 'product', 'description') ?? textAt(body, 'body');
  return present({ type: 'share', media: { id: source.messageId }, title, text });
}
