/** What is posted to `/me/messages` (Meta, "Instagram platform: send messages"). Pure. */
import type { Choice, Media, OutboundContent } from '@switchyard/contract';

/** Undefined for a content that Instagram has no shape for. */
export function messageBody(recipientId: string, content: OutboundContent): object | undefined {
  const message = contentBody(content);
  return message && { recipient: { id: recipientId }, messaging_type: 'RESPONSE', message };
}

function contentBody(content: OutboundContent): object | undefined {
  switch (content.type) {
    case 'text':
      return { text: content.text };
    case 'buttons':
      return { text: content.text, quick_replies: content.buttons.map(quickReply) };
    case 'image':
    case 'video':
    case 'audio':
      return { attachment: { type: content.type, payload: payloadOf(content.media) } };
    case 'document':
      return { attachment: { type: 'file', payload: payloadOf(content.media) } };
    default:
      return undefined;
  }
}

function quickReply({ id, title }: Choice): object {
  return { content_type: 'text', title, payload: id };
}

function payloadOf(media: Media): object {
  return media.id === undefined ? { url: media.url } : { attachment_id: media.id };
}
