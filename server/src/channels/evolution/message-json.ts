/**
 * Our content as the JSON that Evolution's message routes take: v2 flat (schemas of server 2.0 to 2.3), v1 with the
 * content under a name of its own and the rest under `options` (OpenAPI 1.7). Pure.
 */
import type { ContactCard, OutboundContent } from '@switchyard/contract';
import { done, type Result, refused } from '#kernel';
import type { SendRequest } from '../channel.ts';
import { numberedText } from '../numbered/index.ts';
import { present } from '../reading/index.ts';
import { chatOf, numberOf } from './recipient.ts';

export type EvolutionVersion = 'v1' | 'v2';

export interface MessageRoute {
  /** Last part of the path: `sendText`. */
  readonly name: string;
  readonly body: object;
}

export interface Refusal {
  readonly code: string;
  readonly detail: string;
}

export interface MessageForm {
  readonly version: EvolutionVersion;
  /** The account wants menus as numbered text. */
  readonly asText: boolean;
}

export function messageRoute(request: SendRequest, form: MessageForm): Result<MessageRoute, Refusal> {
  const number = numberOf(request.to);
  const chat = chatOf(request.to);
  if (!number || !chat)
    return refused({ code: 'address-unusable', detail: 'there is no phone, wa_id or LID to send to' });
  const content = contentParts(request.content, form, chat);
  if (!content.ok) return content;
  const { route, v1Name, fields } = content.value;
  // A reaction names its chat in the key and takes neither number nor options.
  if (route === 'sendReaction')
    return done({ name: route, body: form.version === 'v1' ? { [v1Name]: fields } : fields });
  const quoted = request.replyTo === undefined ? undefined : { key: { id: request.replyTo } };
  const body =
    form.version === 'v1'
      ? present({ number, options: quoted && { quoted }, [v1Name]: fields })
      : present({ number, quoted, ...(Array.isArray(fields) ? { contact: fields } : fields) });
  return done({ name: route, body });
}

interface ContentParts {
  readonly route: string;
  /** Name under which v1 wants the content. */
  readonly v1Name: string;
  readonly fields: object;
}

function contentParts(content: OutboundContent, form: MessageForm, chat: string): Result<ContentParts, Refusal> {
  switch (content.type) {
    case 'text':
      return done(textParts(content.text));
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return mediaParts(content, form.version);
    case 'location':
      return done({ route: 'sendLocation', v1Name: 'locationMessage', fields: locationFields(content) });
    case 'contacts':
      return done({ route: 'sendContact', v1Name: 'contactMessage', fields: content.contacts.map(contactFields) });
    case 'reaction': {
      const key = { remoteJid: chat, fromMe: false, id: content.targetId };
      const fields = { key, reaction: content.emoji ?? '' };
      return done({ route: 'sendReaction', v1Name: 'reactionMessage', fields });
    }
    case 'buttons':
      // v1 has no route for buttons (WhatsApp stopped showing the ones it made).
      return done(form.asText || form.version === 'v1' ? textParts(numberedText(content)) : buttonParts(content));
    case 'list':
      return done(form.asText ? textParts(numberedText(content)) : listParts(content));
    case 'template':
      return refused({ code: 'content-unsupported', detail: 'this provider takes no template' });
    default: {
      const never: never = content;
      return never;
    }
  }
}

function textParts(text: string): ContentParts {
  return { route: 'sendText', v1Name: 'textMessage', fields: { text } };
}

type Media = Extract<OutboundContent, { readonly media: unknown }>;

/** A URL that the server can reach, or base64. */
function mediaParts(content: Media, version: EvolutionVersion): Result<ContentParts, Refusal> {
  const file = content.media.url ?? content.media.base64;
  if (!file) return refused({ code: 'media-without-address', detail: 'the media has neither a URL nor its bytes' });
  if ((content.more?.length ?? 0) > 1) return refused({ code: 'content-over-limit', detail: 'one file a message' });
  if (content.type === 'sticker') {
    return done({
      route: 'sendSticker',
      v1Name: 'stickerMessage',
      fields: version === 'v1' ? { image: file } : { sticker: file },
    });
  }
  if (content.type === 'audio' && content.isVoice) {
    return done({ route: 'sendWhatsAppAudio', v1Name: 'audioMessage', fields: { audio: file } });
  }
  const { mimeType, fileName } = content.media;
  const mimetype = version === 'v1' ? undefined : mimeType;
  const fields = present({ mediatype: content.type, mimetype, media: file, caption: content.caption, fileName });
  return done({ route: 'sendMedia', v1Name: 'mediaMessage', fields });
}

type Location = Extract<OutboundContent, { type: 'location' }>;

/** Both versions want a name and an address, and refuse empty ones. */
function locationFields({ latitude, longitude, name, address }: Location): object {
  const place = `${latitude}, ${longitude}`;
  return { latitude, longitude, name: name || address || place, address: address || name || place };
}

/** `wuid` is the number that can be written to; without it the server derives it from `phoneNumber`. */
function contactFields(card: ContactCard): object {
  const phoneNumber = card.phones[0] ?? '';
  const wuid = phoneNumber.replace(/\D/g, '') || undefined;
  const fullName = card.name || phoneNumber;
  return present({ fullName, wuid, phoneNumber, organization: card.organisation, email: card.emails[0] });
}

type Buttons = Extract<OutboundContent, { type: 'buttons' }>;

function buttonParts(content: Buttons): ContentParts {
  const buttons = content.buttons.map(({ id, title }) => ({ type: 'reply', displayText: title, id }));
  const fields = present({ ...headingOf(content.text), footer: content.footer, buttons });
  return { route: 'sendButtons', v1Name: 'buttonMessage', fields };
}

type List = Extract<OutboundContent, { type: 'list' }>;

/** Required and not empty, by one version or the other: the description, each row's description, the footer. */
function listParts(content: List): ContentParts {
  const { title, description } = headingOf(content.text);
  const sections = content.sections.map((section) => ({
    title: section.title || content.button,
    rows: section.rows.map((row) => ({ title: row.title, description: row.description || row.title, rowId: row.id })),
  }));
  const footerText = content.footer || ' ';
  const fields = { title, description: description ?? title, buttonText: content.button, footerText, sections };
  return { route: 'sendList', v1Name: 'listMessage', fields };
}

/** The server prints the title bold above the description: the first line becomes it, the rest stays as it is. */
function headingOf(text: string): { readonly title: string; readonly description?: string } {
  const [title = text, ...rest] = text.split('\n');
  const description = rest.join('\n').trim();
  return description === '' ? { title } : { title, description };
}
