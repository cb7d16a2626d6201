/** Our contents in the library's words. Menus come as text already: WhatsApp shows none of a web client's. */
import type { Media, OutboundContent } from '@switchyard/contract';
import type { AnyMessageContent } from '@whiskeysockets/baileys';
import { NotSent } from '../web-client.ts';

/** `file`: the bytes of the content's file, where they are not in it. */
export function contentFor(content: OutboundContent, jid: string, file?: Buffer): AnyMessageContent {
  switch (content.type) {
    case 'text':
      // Without this the library would fetch the first address in the text, to show a preview.
      return { text: content.text, linkPreview: null };
    case 'image':
      return { image: fileOf(content.media, file), ...captionOf(content) };
    case 'video':
      return { video: fileOf(content.media, file), ...captionOf(content) };
    case 'audio':
      return { audio: fileOf(content.media, file), ptt: content.isVoice === true, ...typeOf(content.media) };
    case 'sticker':
      return { sticker: fileOf(content.media, file) };
    case 'document':
      return {
        document: fileOf(content.media, file),
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

/** Never an address: the library would call it wherever it leads, and would read any path. */
function fileOf({ base64 }: Media, file: Buffer | undefined): Buffer {
  if (base64) return Buffer.from(base64, 'base64');
  if (file) return file;
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
