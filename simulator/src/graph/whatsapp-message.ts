/** One entry of `messages[]` (providers.md 1.4). Null for what WhatsApp does not have. */
import { secondsOf } from '../world/clock.ts';
import { type Card, type InboundContent, type MediaKind, optional } from '../world/content.ts';
import type { SimNumber } from '../world/number.ts';
import type { Inbound } from '../world/stand.ts';
import type { World } from '../world/world.ts';

type Part = Readonly<Record<string, unknown>>;

export function whatsappMessage(world: World, number: SimNumber, inbound: Inbound): Part | null {
  const part = messagePart(world, inbound);
  if (!part) return null;
  const { customer } = inbound;
  return {
    ...context(number, inbound),
    ...optional('from', customer.phone),
    ...optional('from_user_id', customer.bsuid),
    id: inbound.id,
    timestamp: String(secondsOf(inbound.atMs)),
    ...part,
    ...optional('group_id', inbound.groupId),
    ...optional('referral', inbound.referral),
  };
}

function context(number: SimNumber, inbound: Inbound): Part {
  if (inbound.isForwarded) return { context: { forwarded: true } };
  return inbound.replyTo ? { context: { from: number.digits, id: inbound.replyTo } } : {};
}

function messagePart(world: World, inbound: Inbound): Part | null {
  const { content } = inbound;
  switch (content.type) {
    case 'text':
      return { type: 'text', text: { body: content.text } };
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return { type: content.type, [content.type]: mediaPart(world, content) };
    case 'location':
      return { type: 'location', location: locationPart(content) };
    case 'contacts':
      return { type: 'contacts', contacts: content.contacts.map(cardPart) };
    case 'reaction':
      return {
        type: 'reaction',
        reaction: { message_id: content.targetId, ...optional('emoji', content.emoji ?? undefined) },
      };
    case 'button_reply':
    case 'list_reply':
    case 'flow_reply':
      return replyPart(content);
    case 'order':
      return { type: 'order', order: orderPart(content) };
    case 'edit':
      return {
        type: 'edit',
        edit: { original_message_id: content.targetId, message: { type: 'text', text: { body: content.text } } },
      };
    case 'delete':
      return { type: 'revoke', revoke: { original_message_id: content.targetId } };
    case 'number_change':
      return numberChangePart(inbound, content.newNumber);
    case 'unsupported':
      return { type: 'unsupported', errors: [unsupportedError], unsupported: { type: 'unknown' } };
    default:
      return null;
  }
}

const unsupportedError = {
  code: 131051,
  title: 'Message type unknown',
  message: 'Message type unknown',
  error_data: { details: 'Message type is currently not supported.' },
};

type ContentOf<T extends InboundContent['type']> = Extract<InboundContent, { type: T }>;

function mediaPart(world: World, content: ContentOf<MediaKind>): Part {
  const file = world.media.putFor(content.type, content.media);
  return {
    ...optional('caption', content.caption),
    ...optional('filename', content.type === 'document' ? (content.media.fileName ?? 'document.pdf') : undefined),
    mime_type: file.mimeType,
    sha256: file.sha256.toString('base64'),
    id: file.id,
    url: content.media.url ?? `${world.urls.graph}/media/${file.id}`,
    ...optional('voice', content.type === 'audio' ? (content.isVoice ?? false) : undefined),
    ...optional('animated', content.type === 'sticker' ? false : undefined),
  };
}

function locationPart(content: ContentOf<'location'>): Part {
  return {
    latitude: content.latitude,
    longitude: content.longitude,
    ...optional('name', content.name),
    ...optional('address', content.address),
  };
}

function cardPart(card: Card): Part {
  return {
    name: { first_name: card.name.split(' ')[0], formatted_name: card.name },
    phones: card.phones.map((phone) => ({ phone, wa_id: phone.replace(/\D/g, ''), type: 'CELL' })),
  };
}

function replyPart(content: ContentOf<'button_reply' | 'list_reply' | 'flow_reply'>): Part {
  if (content.type === 'flow_reply') {
    const reply = { name: content.name, body: 'Sent', response_json: JSON.stringify(content.answer) };
    return { type: 'interactive', interactive: { type: 'nfm_reply', nfm_reply: reply } };
  }
  const { id, title, description } = content.choice;
  if (content.type === 'list_reply') {
    const reply = { id, title, ...optional('description', description) };
    return { type: 'interactive', interactive: { type: 'list_reply', list_reply: reply } };
  }
  if (content.isTemplateButton) return { type: 'button', button: { payload: id, text: title } };
  return { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id, title } } };
}

function orderPart(content: ContentOf<'order'>): Part {
  return {
    catalog_id: content.catalogId,
    text: content.text,
    product_items: content.lines.map((line) => ({
      product_retailer_id: line.productId,
      quantity: line.quantity,
      item_price: line.price,
      currency: line.currency,
    })),
  };
}

function numberChangePart(inbound: Inbound, newNumber: string): Part {
  const old = inbound.customer.phone ?? inbound.customer.key;
  const fresh = newNumber.replace(/\D/g, '');
  return {
    type: 'system',
    system: {
      body: `User ${inbound.customer.name} changed from ${old} to ${fresh}`,
      wa_id: fresh,
      type: 'user_changed_number',
    },
  };
}
