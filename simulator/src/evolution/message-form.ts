/** A customer's message as Baileys objects, in the form that Evolution v1 or v2 passes on (providers.md 4.4). Pure but for kept files. */
import type { InboundContent, MediaKind } from '../world/content.ts';
import { optional } from '../world/content.ts';
import type { StoredFile } from '../world/media.ts';
import type { SimNumber } from '../world/number.ts';
import type { Inbound } from '../world/stand.ts';
import type { World } from '../world/world.ts';
import { jidOf } from './addresses.ts';

export interface MessageForm {
  readonly messageType: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly contextInfo?: Readonly<Record<string, unknown>>;
}

const deviceInfo = {
  messageContextInfo: {
    deviceListMetadata: {
      senderKeyHash: 'AAAAAAAAAAAAAA==',
      senderTimestamp: '1745845546',
      recipientKeyHash: 'AAAAAAAAAAAAAA==',
    },
    deviceListMetadataVersion: 2,
  },
};

/** Null for what these servers do not pass on. */
export function messageForm(world: World, number: SimNumber, inbound: Inbound): MessageForm | null {
  const body = bodyOf(world, number, inbound);
  if (!body) return null;
  const [messageType, part] = body;
  const contextInfo = contextOf(inbound);
  if (number.version === 'v2') {
    return { messageType, message: { [messageType]: part, ...deviceInfo }, ...optional('contextInfo', contextInfo) };
  }
  if (!contextInfo) return { messageType, message: { [messageType]: part, ...deviceInfo } };
  // v1 leaves the context inside the message; a quoted text is an extendedTextMessage there.
  const isPlain = messageType === 'conversation';
  const type = isPlain ? 'extendedTextMessage' : messageType;
  const inner = isPlain ? { text: part, contextInfo } : { ...(part as object), contextInfo };
  return { messageType: type, message: { [type]: inner, ...deviceInfo } };
}

function contextOf(inbound: Inbound): Readonly<Record<string, unknown>> | undefined {
  const advertisement = inbound.referral ? { externalAdReply: advertisementOf(inbound.referral) } : {};
  const forwarded = inbound.isForwarded ? { isForwarded: true, forwardingScore: 1 } : {};
  const quoted = inbound.replyTo
    ? { stanzaId: inbound.replyTo, participant: jidOf(inbound.customer), quotedMessage: { conversation: '' } }
    : {};
  const context = { ...quoted, ...forwarded, ...advertisement };
  return Object.keys(context).length === 0 ? undefined : context;
}

function advertisementOf(referral: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    title: referral.headline,
    body: referral.body,
    sourceType: referral.source_type,
    sourceId: referral.source_id,
    sourceUrl: referral.source_url,
    ctwaClid: referral.ctwa_clid,
  };
}

type Body = readonly [messageType: string, part: unknown];

function bodyOf(world: World, number: SimNumber, inbound: Inbound): Body | null {
  const { content } = inbound;
  switch (content.type) {
    case 'text':
    case 'echo':
      return ['conversation', content.text];
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return mediaBody(world, number, content);
    case 'location':
      return ['locationMessage', locationPart(content)];
    case 'contacts':
      return contactsBody(content.contacts);
    case 'reaction':
      return ['reactionMessage', reactionPart(inbound, content)];
    case 'button_reply':
      return ['buttonsResponseMessage', buttonPart(content)];
    case 'list_reply':
      return ['listResponseMessage', listPart(content)];
    case 'order':
      return ['orderMessage', orderPart(content)];
    case 'edit':
      return number.version === 'v1' ? ['editedMessage', editPart(inbound, content)] : null;
    case 'delete':
      return number.version === 'v1' ? ['protocolMessage', revokePart(inbound, content.targetId)] : null;
    case 'unsupported':
      return ['placeholderMessage', { type: 'MASK_LINKED_DEVICES' }];
    default:
      return null;
  }
}

type ContentOf<T extends InboundContent['type']> = Extract<InboundContent, { type: T }>;

const mediaNames = {
  image: 'imageMessage',
  video: 'videoMessage',
  audio: 'audioMessage',
  document: 'documentMessage',
  sticker: 'stickerMessage',
} as const satisfies Record<MediaKind, string>;

function mediaBody(world: World, number: SimNumber, content: ContentOf<MediaKind>): Body {
  const file = world.media.putFor(content.type, content.media);
  const part = {
    ...encryptedFile(file),
    ...optional('caption', content.caption),
    ...optional('ptt', content.type === 'audio' ? (content.isVoice ?? false) : undefined),
    ...optional('seconds', content.type === 'audio' || content.type === 'video' ? 3 : undefined),
    ...optional('fileName', content.type === 'document' ? (content.media.fileName ?? 'document.pdf') : undefined),
  };
  const name = mediaNames[content.type];
  if (number.version === 'v1' && content.type === 'document' && content.caption) {
    return ['documentWithCaptionMessage', { message: { documentMessage: part } }];
  }
  return [name, part];
}

/** What WhatsApp hands out is encrypted; the bytes come by getBase64FromMediaMessage or with the webhook. */
function encryptedFile(file: StoredFile): Record<string, unknown> {
  return {
    url: `https://mmg.whatsapp.net/v/t62.7118-24/${file.id}_n.enc?ccb=11-4&oh=01_sim&oe=00000000`,
    mimetype: file.mimeType,
    fileSha256: file.sha256.toString('base64'),
    fileLength: String(file.bytes.length),
    mediaKey: Buffer.alloc(32).toString('base64'),
    fileEncSha256: file.sha256.toString('base64'),
    directPath: `/v/t62.7118-24/${file.id}_n.enc`,
    mediaKeyTimestamp: '1745845546',
  };
}

/** The file's id, as `encryptedFile` wrote it into the path. */
export function fileIdOf(directPath: string): string | null {
  return /\/(\d+)_n\.enc/.exec(directPath)?.[1] ?? null;
}

function locationPart(content: ContentOf<'location'>): Record<string, unknown> {
  return {
    degreesLatitude: content.latitude,
    degreesLongitude: content.longitude,
    ...optional('name', content.name),
    ...optional('address', content.address),
  };
}

function contactsBody(cards: ContentOf<'contacts'>['contacts']): Body {
  const contacts = cards.map((card) => ({
    displayName: card.name,
    vcard: [
      'BEGIN:VCARD',
      'VERSION:3.0',
      `FN:${card.name}`,
      ...card.phones.map((phone) => `item1.TEL;waid=${phone.replace(/\D/g, '')}:${phone}`),
      'END:VCARD',
    ].join('\n'),
  }));
  return contacts.length === 1
    ? ['contactMessage', contacts[0]]
    : ['contactsArrayMessage', { displayName: `${contacts.length} contacts`, contacts }];
}

function reactionPart(inbound: Inbound, content: ContentOf<'reaction'>): Record<string, unknown> {
  return {
    key: { remoteJid: jidOf(inbound.customer), fromMe: true, id: content.targetId },
    text: content.emoji ?? '',
    senderTimestampMs: String(inbound.atMs),
  };
}

function buttonPart(content: ContentOf<'button_reply'>): Record<string, unknown> {
  return { selectedButtonId: content.choice.id, selectedDisplayText: content.choice.title, type: 1 };
}

function listPart(content: ContentOf<'list_reply'>): Record<string, unknown> {
  return {
    title: content.choice.title,
    listType: 1,
    singleSelectReply: { selectedRowId: content.choice.id },
    ...optional('description', content.choice.description),
  };
}

function orderPart(content: ContentOf<'order'>): Record<string, unknown> {
  const total = content.lines.reduce((sum, line) => sum + line.price * line.quantity, 0);
  return {
    orderId: content.catalogId,
    itemCount: content.lines.reduce((sum, line) => sum + line.quantity, 0),
    status: 1,
    surface: 1,
    message: content.text,
    totalAmount1000: String(Math.round(total * 1000)),
    totalCurrencyCode: content.lines[0]?.currency ?? 'USD',
  };
}

function editPart(inbound: Inbound, content: ContentOf<'edit'>): Record<string, unknown> {
  return {
    message: {
      protocolMessage: {
        ...revokeKey(inbound, content.targetId),
        type: 'MESSAGE_EDIT',
        editedMessage: { conversation: content.text },
      },
    },
  };
}

function revokePart(inbound: Inbound, targetId: string): Record<string, unknown> {
  return { ...revokeKey(inbound, targetId), type: 'REVOKE' };
}

function revokeKey(inbound: Inbound, targetId: string): Record<string, unknown> {
  return { key: { remoteJid: jidOf(inbound.customer), fromMe: false, id: targetId } };
}
