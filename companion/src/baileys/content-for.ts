/** Our contents in the library's words. Menus come as text already: WhatsApp shows none of a web client's. */
import type { Media, OutboundContent } from '@switchyard/contract';
import type { AnyMessageContent } from '@whiskeysockets/baileys';
import { NotSent } from '../web-client.ts';

export function contentFor(content: OutboundContent, jid: string): AnyMessageContent {
  switch (content.type) {
    case 'text':
      return { text: content.text };
    case 'image':
      return { image: fileOf(content.media), ...captionOf(content) };
    case 'video':
      return { video: fileOf(content.media), ...captionOf(content) };
    case 'audio':
      return { audio: fileOf(content.media), ptt: content.isVoice === true, ...typeOf(content.media) };
    case 'sticker':
      return { sticker: fileOf(content.media) };
    case 'document':
      return {
        document: fileOf(content.media),
        mimetype: content.media.mimeType ?? 'application/octet-stream',
        ...(content.media.fileName ? { fileName: content.media.fileName } : {}),
        ...captionOf(content),
      };
    case 'location':
      return {
        location: {
          degreesLatitude: content.latitude,
          degreesLongitude: content.longitude,
          ...(content.name ? { name: content.name } : {}),
          ...(content.address ? { address: content.address } : {}),
        },
      };
    case 'contacts':
      return {
        contacts: {
          displayName: content.contacts[0]?.name ?? '',
          contacts: content.contacts.map((card) => ({ displayName: card.name, vcard: card.vcard ?? vcardOf(card) })),
        },
      };
    case 'reaction':
      return { react: { text: content.emoji ?? '', key: { remoteJid: jid, fromMe: false, id: content.targetId } } };
    case 'buttons':
    case 'list':
    case 'template':
      throw new NotSent('invalid', `WhatsApp's web client sends no ${content.type}`);
    default: {
      const never: never = content;
      throw new NotSent('invalid', `unknown content ${JSON.stringify(never).slice(0, 50)}`);
    }
  }
}

function fileOf({ base64, url }: Media): Buffer | { url: string } {
  if (base64) return Buffer.from(base64, 'base64');
  // The library reads any path that it is given: only an address of the web is one of a tenant's.
  if (url && /^https?:\/\//.test(url)) return { url };
  throw new NotSent('invalid', 'the file has neither bytes nor an http(s) address');
}

function captionOf({ caption }: { readonly caption?: string }): { caption?: string } {
  return caption ? { caption } : {};
}

function typeOf({ mimeType }: Media): { mimetype?: string } {
  return mimeType ? { mimetype: mimeType } : {};
}

function vcardOf(card: { readonly name: string; readonly phones: readonly string[] }): string {
  const clean = (text: string) => text.replaceAll(/[\r\n;:]/g, ' ');
  const phones = card.phones.map((phone) => `TEL;type=CELL;waid=${phone.replace(/\D/g, '')}:${clean(phone)}`);
  return ['BEGIN:VCARD', 'VERSION:3.0', `FN:${clean(card.name)}`, ...phones, 'END:VCARD'].join('\n');
}
