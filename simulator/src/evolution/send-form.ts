/**
 * The bodies of `/message/send…`: v1 nests them (`textMessage.text`), v2 is flat (`text`). A body in the other
 * version's form is refused with the schema's complaint, as the real servers do. Pure.
 */
import { type Fields, isFields, wordsOf } from '../world/read.ts';
import type { ScreenChoice, ScreenContent } from '../world/screen.ts';

export interface SendForm {
  readonly screen: ScreenContent;
  readonly messageType: string;
  readonly message: Fields;
}

/** The schema's complaint, or the message. */
export type ReadForm = (body: Fields, version: 'v1' | 'v2') => SendForm | string;

export const sendForms: Readonly<Record<string, ReadForm>> = {
  sendText: readText,
  sendMedia: readMedia,
  sendWhatsAppAudio: readAudio,
  sendSticker: readSticker,
  sendLocation: readLocation,
  sendContact: readContact,
  sendReaction: readReaction,
  sendButtons: readButtons,
  sendList: readList,
};

function requires(name: string): string {
  return `instance requires property "${name}"`;
}

/** The part that holds the fields: nested in v1, the body itself in v2. */
function partOf(body: Fields, version: 'v1' | 'v2', name: string): Fields | string {
  if (version === 'v2') return body;
  const part = body[name];
  return isFields(part) ? part : requires(name);
}

function readText(body: Fields, version: 'v1' | 'v2'): SendForm | string {
  const part = partOf(body, version, 'textMessage');
  if (typeof part === 'string') return part;
  const text = part.text;
  if (typeof text !== 'string' || text === '') return requires('text');
  const screen = { type: 'text', text };
  return version === 'v1'
    ? { screen, messageType: 'extendedTextMessage', message: { extendedTextMessage: { text } } }
    : { screen, messageType: 'conversation', message: { conversation: text } };
}

const mediaTypes = ['image', 'video', 'audio', 'document'];

function readMedia(body: Fields, version: 'v1' | 'v2'): SendForm | string {
  const part = partOf(body, version, 'mediaMessage');
  if (typeof part === 'string') return part;
  const { mediatype, media, caption, fileName } = part;
  if (typeof mediatype !== 'string' || !mediaTypes.includes(mediatype)) return requires('mediatype');
  if (typeof media !== 'string' || media === '') return requires('media');
  const text = typeof caption === 'string' ? caption : undefined;
  const file = typeof fileName === 'string' ? fileName : undefined;
  const messageType = `${mediatype}Message`;
  return {
    screen: {
      type: mediatype,
      ...(isLink(media) ? { mediaUrl: media } : {}),
      ...(text ? { text } : {}),
      ...(file ? { fileName: file } : {}),
    },
    messageType,
    message: {
      [messageType]: { url: isLink(media) ? media : '', caption: text, fileName: file, mimetype: part.mimetype },
    },
  };
}

function isLink(media: string): boolean {
  return /^https?:\/\//.test(media);
}

function readAudio(body: Fields, version: 'v1' | 'v2'): SendForm | string {
  return readFile(body, version, { wrapper: 'audioMessage', field: 'audio', messageType: 'audioMessage' });
}

function readSticker(body: Fields, version: 'v1' | 'v2'): SendForm | string {
  const field = version === 'v1' ? 'image' : 'sticker';
  return readFile(body, version, { wrapper: 'stickerMessage', field, messageType: 'stickerMessage' });
}

function readFile(
  body: Fields,
  version: 'v1' | 'v2',
  names: { wrapper: string; field: string; messageType: string },
): SendForm | string {
  const part = partOf(body, version, names.wrapper);
  if (typeof part === 'string') return part;
  const media = part[names.field];
  if (typeof media !== 'string' || media === '') return requires(names.field);
  const type = names.messageType === 'audioMessage' ? 'audio' : 'sticker';
  return {
    screen: { type, ...(isLink(media) ? { mediaUrl: media } : {}) },
    messageType: names.messageType,
    message: { [names.messageType]: { url: isLink(media) ? media : '' } },
  };
}

function readLocation(body: Fields, version: 'v1' | 'v2'): SendForm | string {
  const part = partOf(body, version, 'locationMessage');
  if (typeof part === 'string') return part;
  const latitude = Number(part.latitude ?? Number.NaN);
  const longitude = Number(part.longitude ?? Number.NaN);
  if (Number.isNaN(latitude)) return requires('latitude');
  if (Number.isNaN(longitude)) return requires('longitude');
  const name = typeof part.name === 'string' ? part.name : `${latitude}, ${longitude}`;
  return {
    screen: { type: 'location', text: name, location: { latitude, longitude } },
    messageType: 'locationMessage',
    message: {
      locationMessage: { degreesLatitude: latitude, degreesLongitude: longitude, name, address: part.address },
    },
  };
}

function readContact(body: Fields, version: 'v1' | 'v2'): SendForm | string {
  const list = body[version === 'v1' ? 'contactMessage' : 'contact'];
  if (!Array.isArray(list) || list.length === 0) return requires(version === 'v1' ? 'contactMessage' : 'contact');
  const names = (list as unknown[]).map((each) => (isFields(each) ? each.fullName : undefined));
  if (names.some((name) => typeof name !== 'string' || name === '')) return requires('fullName');
  const text = names.join(', ');
  return {
    screen: { type: 'contacts', text },
    messageType: 'contactMessage',
    message: { contactMessage: { displayName: text } },
  };
}

function readReaction(body: Fields, version: 'v1' | 'v2'): SendForm | string {
  const part = partOf(body, version, 'reactionMessage');
  if (typeof part === 'string') return part;
  const { key, reaction } = part;
  if (!isFields(key) || typeof key.id !== 'string') return requires('key');
  if (typeof reaction !== 'string') return requires('reaction');
  return {
    screen: { type: 'reaction', text: reaction, targetId: key.id },
    messageType: 'reactionMessage',
    message: { reactionMessage: { key, text: reaction } },
  };
}

function readButtons(body: Fields, version: 'v1' | 'v2'): SendForm | string {
  const part = partOf(body, version, 'buttonMessage');
  if (typeof part === 'string') return part;
  const { title, description, buttons } = part;
  if (typeof title !== 'string' || title === '') return requires('title');
  if (!Array.isArray(buttons) || buttons.length === 0) return requires('buttons');
  const choices: ScreenChoice[] = (buttons as unknown[]).filter(isFields).map((button) => ({
    id: String(button.id ?? button.buttonId),
    title: String(button.displayText ?? button.buttonText),
  }));
  const text = typeof description === 'string' && description !== '' ? `${title}\n${description}` : title;
  const footer = part.footer ?? part.footerText;
  return {
    screen: { type: 'buttons', text, buttons: choices, ...(typeof footer === 'string' ? { footer } : {}) },
    messageType: 'viewOnceMessage',
    message: { viewOnceMessage: { message: { interactiveMessage: { body: { text: dressed(title, description) } } } } },
  };
}

/** The server makes one text of both, with the title bold. */
function dressed(title: string, description: unknown): string {
  return typeof description === 'string' && description !== '' ? `*${title}*\n\n${description}` : `*${title}*`;
}

function readList(body: Fields, version: 'v1' | 'v2'): SendForm | string {
  const part = partOf(body, version, 'listMessage');
  if (typeof part === 'string') return part;
  const { title, description, buttonText } = part;
  const sections = part.sections ?? part.values;
  if (typeof title !== 'string') return requires('title');
  if (typeof buttonText !== 'string' || buttonText === '') return requires('buttonText');
  if (!Array.isArray(sections) || sections.length === 0) return requires('sections');
  const read = (sections as unknown[]).filter(isFields).map((section) => ({
    title: wordsOf(section.title),
    rows: rowsOf(section.rows),
  }));
  if (read.some((section) => section.rows.some((row) => row.id === '' || row.title === ''))) return requires('rowId');
  const text = typeof description === 'string' && description !== '' ? `${title}\n${description}`.trim() : title;
  return {
    screen: { type: 'list', text, list: { button: buttonText, sections: read } },
    messageType: 'listMessage',
    message: { listMessage: { title, description, buttonText, listType: 1, sections } },
  };
}

function rowsOf(rows: unknown): ScreenChoice[] {
  if (!Array.isArray(rows)) return [];
  return (rows as unknown[]).filter(isFields).map((row) => ({
    id: wordsOf(row.rowId),
    title: wordsOf(row.title),
    ...(typeof row.description === 'string' ? { description: row.description } : {}),
  }));
}
