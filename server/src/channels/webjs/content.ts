/**
 * What a payload says. `type` is our companion's, in whatsapp-web.js' words; WAHA sends none, so the members decide.
 */
import type { Media, MediaType } from '@switchyard/contract';
import { contactOfVcard, contentOfMessage } from '../baileys/index.ts';
import type { InboundContent } from '../inbound-content.ts';
import {
  arrayAt,
  flagAt,
  idAt,
  isObject,
  type JsonValue,
  numberAt,
  objectAt,
  present,
  textAt,
  valueAt,
} from '../reading/index.ts';

/** `MessageTypes` of whatsapp-web.js 1.34 that are files. */
const mediaTypes: Readonly<Record<string, MediaType>> = {
  image: 'image',
  video: 'video',
  gif: 'video',
  ptv: 'video',
  audio: 'audio',
  ptt: 'audio',
  voice: 'audio',
  document: 'document',
  sticker: 'sticker',
};

/** Types that are notices of the protocol, not words of a person. */
const noticeTypes = new Set([
  'e2e_notification',
  'notification',
  'notification_template',
  'group_notification',
  'gp2',
  'broadcast_notification',
  'call_log',
  'protocol',
  'debug',
]);

export function contentOf(payload: JsonValue, messageId: string): InboundContent {
  const type = textAt(payload, 'type')?.toLowerCase() ?? '';
  return (
    tapOf(payload, type) ??
    fileOf(payload, type, messageId) ??
    locationOf(payload) ??
    contactsOf(payload) ??
    pollOf(payload) ??
    orderOf(payload, type) ??
    textOf(payload, type) ??
    engineContentOf(payload, messageId) ??
    leftoverOf(payload, type)
  );
}

/** Ours: `selectedId` under `button_reply` or `list_reply`; whatsapp-web.js names the id after the kind. */
function tapOf(payload: JsonValue, type: string): InboundContent | undefined {
  const selected = idAt(payload, 'selectedId');
  const title = textAt(payload, 'body') || undefined;
  const row =
    idAt(payload, 'selectedRowId') ??
    idAt(payload, 'listReply', 'id') ??
    (type === 'list_reply' ? selected : undefined);
  if (row !== undefined) {
    const description = textAt(payload, 'description') || textAt(payload, 'listReply', 'description') || undefined;
    return present({
      type: 'list_reply',
      id: row,
      title: textAt(payload, 'listReply', 'title') || title || row,
      description,
    });
  }
  const button = idAt(payload, 'selectedButtonId') ?? idAt(payload, 'buttonReply', 'id') ?? selected;
  if (button === undefined) return undefined;
  return { type: 'button_reply', id: button, title: textAt(payload, 'buttonReply', 'title') || title || button };
}

function fileOf(payload: JsonValue, type: string, messageId: string): InboundContent | undefined {
  const named = Object.hasOwn(mediaTypes, type) ? mediaTypes[type] : undefined;
  const file = objectAt(payload, 'media');
  if (!named && !file) return undefined;
  const media: Media = present({
    id: messageId,
    url: textAt(file, 'url') || undefined,
    mimeType: textAt(file, 'mimetype') || undefined,
    fileName: textAt(file, 'filename') || undefined,
    sizeBytes: numberAt(file, 'filesize'),
    base64: textAt(file, 'base64') || textAt(file, 'data') || undefined,
  });
  const kind = named ?? mediaTypeOf(media.mimeType);
  const isVoice = type === 'ptt' || type === 'voice' || flagAt(payload, 'isVoice') || undefined;
  return present({ type: kind, media, caption: textAt(payload, 'body') || undefined, isVoice });
}

/** WhatsApp sends stickers, and only stickers, as WebP. */
function mediaTypeOf(mimeType: string | undefined): MediaType {
  if (mimeType?.startsWith('image/webp')) return 'sticker';
  return (['image', 'video', 'audio'] as const).find((type) => mimeType?.startsWith(`${type}/`)) ?? 'document';
}

function locationOf(payload: JsonValue): InboundContent | undefined {
  const place = objectAt(payload, 'location');
  const latitude = numberAt(place, 'latitude');
  const longitude = numberAt(place, 'longitude');
  if (latitude === undefined || longitude === undefined) return undefined;
  const name = textAt(place, 'name') || textAt(place, 'title') || textAt(place, 'description') || undefined;
  return present({ type: 'location', latitude, longitude, name, address: textAt(place, 'address') || undefined });
}

function contactsOf(payload: JsonValue): InboundContent | undefined {
  const vcards = arrayAt(payload, 'vCards').filter((vcard) => typeof vcard === 'string');
  if (vcards.length === 0) return undefined;
  return { type: 'contacts', contacts: vcards.map((vcard) => contactOfVcard(vcard)) };
}

function pollOf(payload: JsonValue): InboundContent | undefined {
  const title = textAt(payload, 'poll', 'name') ?? textAt(payload, 'pollName');
  if (title === undefined) return undefined;
  const options =
    valueAt(payload, 'poll', 'options') === undefined
      ? arrayAt(payload, 'pollOptions')
      : arrayAt(payload, 'poll', 'options');
  const words = options.map((option) => (typeof option === 'string' ? option : (textAt(option, 'name') ?? '')));
  return { type: 'poll', title, options: words };
}

/** The web client shows that there is an order; its lines have to be asked for. */
function orderOf(payload: JsonValue, type: string): InboundContent | undefined {
  return type === 'order'
    ? present({ type: 'order', text: textAt(payload, 'body') || undefined, items: [] })
    : undefined;
}

/** Empty text is no message: WAHA sends it for what its engine could not read. */
function textOf(payload: JsonValue, type: string): InboundContent | undefined {
  const text = textAt(payload, 'body');
  return text && (type === '' || type === 'chat' || type === 'text') ? { type: 'text', text } : undefined;
}

/** WAHA's Baileys engine passes the protocol's own message on as `_data`. */
function engineContentOf(payload: JsonValue, messageId: string): InboundContent | undefined {
  const content = contentOfMessage(objectAt(payload, '_data', 'message'), messageId);
  return content && content.type !== 'unsupported' ? content : undefined;
}

function leftoverOf(payload: JsonValue, type: string): InboundContent {
  const text = textAt(payload, 'body') || undefined;
  if (noticeTypes.has(type)) return present({ type: 'system', name: type, text });
  const name = type || (isObject(payload) && valueAt(payload, 'hasMedia') === true ? 'media' : 'empty');
  return present({ type: 'unsupported', name, text });
}
