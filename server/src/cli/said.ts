/** What a simulated customer sends, from the options of `simulate`, in the stand-ins' own vocabulary. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { WrongUse } from './failures.ts';

export interface Said {
  readonly text?: string;
  readonly image?: string;
  readonly video?: string;
  readonly audio?: string;
  readonly document?: string;
  readonly sticker?: string;
  readonly caption?: string;
  readonly location?: string;
  readonly contact?: string;
  readonly button?: string;
  readonly row?: string;
  readonly react?: string;
  readonly message?: string;
  readonly content?: string;
}

export const contentOptions: readonly (readonly [flags: string, description: string])[] = [
  ['--text <text>', 'a text; "hola" if no other content is given'],
  ['--image <url or file>', 'an image'],
  ['--video <url or file>', 'a video'],
  ['--audio <url or file>', 'a voice message'],
  ['--document <url or file>', 'a document'],
  ['--sticker <url or file>', 'a sticker'],
  ['--caption <text>', 'the words under an image, a video or a document'],
  ['--location <lat,lon>', 'a place'],
  ['--contact <name=phone>', 'a contact card'],
  ['--button <id=title>', 'a tap on a button'],
  ['--row <id=title>', 'a choice from a list'],
  ['--react <emoji>', 'a reaction to --message'],
  ['--message <id>', 'which message --react is for'],
  ['--content <json>', 'anything else, as {"type": …}'],
];

export interface SimulatedContent {
  readonly type: string;
  readonly [field: string]: unknown;
}

const media = ['image', 'video', 'audio', 'document', 'sticker'] as const;
const kinds = ['text', ...media, 'location', 'contact', 'button', 'row', 'react', 'content'] as const;

/** Throws WrongUse when there is more than one, or one that cannot be read. */
export function contentOf(said: Said): SimulatedContent {
  const given = kinds.filter((kind) => said[kind] !== undefined);
  if (given.length > 1) throw new WrongUse(`--${given.join(' and --')} are two things; give one`);
  const kind = given[0] ?? 'text';
  const value = said[kind] ?? 'hola';
  switch (kind) {
    case 'text':
      return { type: 'text', text: value };
    case 'location':
      return placeOf(value);
    case 'contact': {
      const [name, phone] = pairOf('contact', value);
      return { type: 'contacts', contacts: [{ name, phones: [phone] }] };
    }
    case 'button':
    case 'row': {
      const [id, title] = pairOf(kind, value);
      return { type: kind === 'button' ? 'button_reply' : 'list_reply', id, title };
    }
    case 'react':
      if (said.message === undefined) throw new WrongUse('--react needs --message, the id of the message');
      return { type: 'reaction', emoji: value, targetId: said.message };
    case 'content':
      return parseContent(value);
    default:
      return { type: kind, ...mediaOf(value), ...(said.caption === undefined ? {} : { caption: said.caption }) };
  }
}

function placeOf(text: string): SimulatedContent {
  const [latitude, longitude] = text.split(',').map((part) => Number(part));
  const isPlace = Math.abs(latitude ?? Number.NaN) <= 90 && Math.abs(longitude ?? Number.NaN) <= 180;
  if (!isPlace) throw new WrongUse(`--location ${text} is not a latitude and a longitude like 40.4168,-3.7038`);
  return { type: 'location', latitude, longitude };
}

function pairOf(option: string, text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new WrongUse(`--${option} ${text} is not ${option === 'contact' ? 'name=phone' : 'id=title'}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function mediaOf(text: string): { readonly url: string } | { readonly base64: string; readonly fileName: string } {
  if (/^https?:\/\//.test(text)) return { url: text };
  try {
    return { base64: readFileSync(text).toString('base64'), fileName: basename(text) };
  } catch {
    throw new WrongUse(`${text} is neither a URL nor a file that can be read`);
  }
}

function parseContent(text: string): SimulatedContent {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'type' in parsed && typeof parsed.type === 'string')
      return parsed as SimulatedContent;
  } catch {
    // Said below, in one line with the other case.
  }
  throw new WrongUse('--content is not JSON like {"type": "text", "text": "hola"}');
}
