/**
 * Is this a send that the Cloud API would take? Pure. Limits are those of Meta's documents (providers.md 1.9, 1.10);
 * what a real answer would not check is not checked here either.
 */
import { type Customer, strangerOf } from '../world/customer.ts';
import type { Template } from '../world/number.ts';
import { type Fields, isFields, wordsOf } from '../world/read.ts';
import type { ScreenContent } from '../world/screen.ts';
import type { GraphRefusal } from './error-table.ts';
import { checkInteractive } from './interactive-check.ts';
import { type Checked, isRefusal, missing, tooLong, wrong } from './refusal.ts';
import { checkTemplate } from './template-check.ts';

export interface CheckedSend {
  readonly customer: Customer;
  readonly type: string;
  readonly screen: ScreenContent;
  readonly correlation?: string;
  readonly category?: string;
  readonly input: string;
}

export interface CheckContext {
  readonly templates: readonly Template[] | null;
  readonly hasMedia: (id: string) => boolean;
  /** Where the phone page finds an uploaded file. */
  readonly mediaUrl: (id: string) => string;
}

const TEXT_LIMIT = 4_096;
const CAPTION_LIMIT = 1_024;
const CALLBACK_DATA_LIMIT = 512;

type TypeCheck = (part: unknown, context: CheckContext, body: Fields) => Checked;

const typeChecks: Readonly<Record<string, TypeCheck>> = {
  text: checkText,
  image: (part, context) => checkMedia('image', part, context),
  video: (part, context) => checkMedia('video', part, context),
  audio: (part, context) => checkMedia('audio', part, context),
  document: (part, context) => checkMedia('document', part, context),
  sticker: (part, context) => checkMedia('sticker', part, context),
  location: checkLocation,
  contacts: checkContacts,
  reaction: checkReaction,
  interactive: checkInteractive,
  template: (part, context, body) => checkTemplate(part, context.templates, body.recipient !== undefined),
};

export function checkSend(body: Fields, context: CheckContext): CheckedSend | GraphRefusal {
  if (body.messaging_product !== 'whatsapp') {
    return { code: '100', details: 'The parameter messaging_product is required.' };
  }
  const customer = addresseeOf(body);
  if (isRefusal(customer)) return customer;
  const type = body.type === undefined ? 'text' : wordsOf(body.type);
  const check = Object.hasOwn(typeChecks, type) ? typeChecks[type] : undefined;
  if (!check) return { code: '100', details: `Param type must be one of {${Object.keys(typeChecks).join(', ')}}.` };
  const data = body.biz_opaque_callback_data;
  if (data !== undefined && (typeof data !== 'string' || data.length > CALLBACK_DATA_LIMIT)) {
    return tooLong('biz_opaque_callback_data', CALLBACK_DATA_LIMIT);
  }
  const part = body[type];
  if (part === undefined || part === null) return missing(type);
  const checked = check(part, context, body);
  if (isRefusal(checked)) return checked;
  return {
    customer: customer.customer,
    input: customer.input,
    type,
    screen: checked.screen,
    ...(checked.category ? { category: checked.category } : {}),
    ...(typeof data === 'string' ? { correlation: data } : {}),
  };
}

function addresseeOf(body: Fields): { customer: Customer; input: string } | GraphRefusal {
  const { to, recipient } = body;
  if (typeof to === 'string' && to !== '') {
    const digits = to.replace(/[\s()+.-]/g, '');
    if (!/^\d{6,15}$/.test(digits)) return wrong('to', 'is not a valid WhatsApp number');
    return { customer: strangerOf(digits, 'phone'), input: to };
  }
  if (typeof recipient === 'string' && recipient !== '') {
    return { customer: strangerOf(recipient, 'bsuid'), input: recipient };
  }
  return { code: '100', details: 'The parameter to is required.' };
}

function checkText(part: unknown): Checked {
  const body = isFields(part) ? part.body : undefined;
  if (typeof body !== 'string' || body === '') return missing("text['body']");
  if (body.length > TEXT_LIMIT) return tooLong("text['body']", TEXT_LIMIT);
  return { screen: { type: 'text', text: body } };
}

function checkMedia(type: string, part: unknown, context: CheckContext): Checked {
  if (!isFields(part)) return missing(type);
  const { id, link, caption } = part;
  if ((id === undefined) === (link === undefined)) {
    return { code: '100', details: `Exactly one of ${type}['id'] and ${type}['link'] is required.` };
  }
  if (link !== undefined && !isWebLink(link)) return wrong(`${type}['link']`, 'is not a valid URI');
  if (id !== undefined && !context.hasMedia(wordsOf(id))) return wrong(`${type}['id']`, 'is not a known media id');
  if (caption !== undefined) {
    if (type === 'audio' || type === 'sticker')
      return { code: '100', details: `Unexpected key "caption" on param ${type}.` };
    if (typeof caption !== 'string') return wrong(`${type}['caption']`);
    if (caption.length > CAPTION_LIMIT) return tooLong(`${type}['caption']`, CAPTION_LIMIT);
  }
  return {
    screen: {
      type,
      mediaUrl: link === undefined ? context.mediaUrl(wordsOf(id)) : wordsOf(link),
      ...(typeof caption === 'string' ? { text: caption } : {}),
      ...(typeof part.filename === 'string' ? { fileName: part.filename } : {}),
    },
  };
}

function isWebLink(link: unknown): boolean {
  return typeof link === 'string' && /^https?:\/\//.test(link) && URL.canParse(link);
}

function checkLocation(part: unknown): Checked {
  if (!isFields(part)) return missing('location');
  const latitude = Number(part.latitude ?? Number.NaN);
  const longitude = Number(part.longitude ?? Number.NaN);
  if (!(Math.abs(latitude) <= 90)) return wrong("location['latitude']");
  if (!(Math.abs(longitude) <= 180)) return wrong("location['longitude']");
  const name = typeof part.name === 'string' ? part.name : `${latitude}, ${longitude}`;
  return { screen: { type: 'location', text: name, location: { latitude, longitude } } };
}

function checkContacts(part: unknown): Checked {
  if (!Array.isArray(part) || part.length === 0) return missing('contacts');
  const names: string[] = [];
  for (const card of part as unknown[]) {
    const name = isFields(card) && isFields(card.name) ? card.name.formatted_name : undefined;
    if (typeof name !== 'string' || name === '') return missing("contacts[0]['name']['formatted_name']");
    names.push(name);
  }
  return { screen: { type: 'contacts', text: names.join(', ') } };
}

function checkReaction(part: unknown): Checked {
  if (!isFields(part) || typeof part.message_id !== 'string') return missing("reaction['message_id']");
  if (typeof part.emoji !== 'string') return missing("reaction['emoji']");
  return { screen: { type: 'reaction', text: part.emoji, targetId: part.message_id } };
}
