/** What is posted to `/{phone_number_id}/messages` (Meta, "Cloud API: messages"). Pure. */
import type { Choice, ContactCard, Media, OutboundContent } from '@switchyard/contract';
import { assertNever } from '#kernel';
import type { SendRequest } from '../channel.ts';
import { present } from '../reading/index.ts';

/** Who it goes to: `to` for a phone, `recipient` for a business-scoped user id. */
export type Address = { readonly to: string } | { readonly recipient: string };

const phoneShape = /^\+?([1-9]\d{6,14})$/;

/**
 * The first address that Meta takes, best first. Always with `+`: without it the business's own country code is put in
 * front and a stranger gets the message. Undefined where there is none.
 */
export function addressOf(candidates: SendRequest['to']): Address | undefined {
  for (const { kind, value } of candidates) {
    if (kind === 'bsuid' && value !== '') return { recipient: value };
    const digits = kind === 'phone' || kind === 'wa_id' ? phoneShape.exec(value)?.[1] : undefined;
    if (digits !== undefined) return { to: `+${digits}` };
  }
  return undefined;
}

/** The echo of our attempt id in every receipt is what settles a send whose answer was lost. */
export function messageBody(address: Address, request: SendRequest): object {
  return present({
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    ...address,
    ...contentBody(request.content),
    context: request.replyTo === undefined ? undefined : { message_id: request.replyTo },
    biz_opaque_callback_data: request.attemptId,
  });
}

function contentBody(content: OutboundContent): object {
  switch (content.type) {
    case 'text':
      return { type: 'text', text: { body: content.text, preview_url: /https?:\/\//.test(content.text) } };
    case 'image':
    case 'video':
      return { type: content.type, [content.type]: mediaBody(content.media, { caption: content.caption }) };
    case 'document': {
      const extra = { caption: content.caption, filename: content.media.fileName };
      return { type: 'document', document: mediaBody(content.media, extra) };
    }
    case 'audio':
    case 'sticker':
      return { type: content.type, [content.type]: mediaBody(content.media, {}) };
    case 'location': {
      const { latitude, longitude, name, address } = content;
      return { type: 'location', location: present({ latitude, longitude, name, address }) };
    }
    case 'contacts':
      return { type: 'contacts', contacts: content.contacts.map(cardBody) };
    case 'reaction':
      return { type: 'reaction', reaction: { message_id: content.targetId, emoji: content.emoji ?? '' } };
    case 'buttons':
    case 'list':
      return { type: 'interactive', interactive: interactiveBody(content) };
    case 'template':
      return { type: 'template', template: templateBody(content) };
    default:
      return assertNever(content);
  }
}

/** Meta's own id where there is one, else a link, which Meta keeps for ten minutes. */
function mediaBody(media: Media, extra: { readonly [name: string]: string | undefined }): object {
  return present({ ...(media.id === undefined ? { link: media.url } : { id: media.id }), ...extra });
}

function cardBody(card: ContactCard): object {
  return present({
    name: { formatted_name: card.name, first_name: card.name },
    phones: card.phones.map((phone) => ({ phone })),
    emails: card.emails.length === 0 ? undefined : card.emails.map((email) => ({ email })),
    org: card.organisation === undefined ? undefined : { company: card.organisation },
  });
}

function interactiveBody(content: Extract<OutboundContent, { type: 'buttons' | 'list' }>): object {
  const body = { text: content.text };
  const footer = content.footer === undefined ? undefined : { text: content.footer };
  if (content.type === 'buttons') {
    const buttons = content.buttons.map(({ id, title }) => ({ type: 'reply', reply: { id, title } }));
    return present({ type: 'button', body, footer, action: { buttons } });
  }
  const sections = content.sections.map(({ title, rows }) => present({ title, rows: rows.map(rowBody) }));
  return present({ type: 'list', body, footer, action: { button: content.button, sections } });
}

function rowBody({ id, title, description }: Choice): object {
  return present({ id, title, description });
}

/** A provider's own components go as they are; else the body's parameters in order. */
function templateBody(content: Extract<OutboundContent, { type: 'template' }>): object {
  const parameters = content.parameters.map((text) => ({ type: 'text', text }));
  const ofBody = parameters.length === 0 ? undefined : [{ type: 'body', parameters }];
  return present({
    name: content.name,
    language: { code: content.language },
    components: content.components ?? ofBody,
  });
}
