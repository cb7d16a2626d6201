/** What a direct message holds. */
import type { Media, MediaType, MessageContent } from '@switchyard/contract';
import {
  arrayAt,
  flagAt,
  idAt,
  type JsonValue,
  numberAt,
  objectAt,
  present,
  textAt,
  valueAt,
} from '../reading/index.ts';

export type InboundContent = Exclude<MessageContent, { type: 'buttons' | 'list' | 'template' }>;

const mediaTypes: Readonly<Record<string, MediaType>> = {
  image: 'image',
  animated_image: 'image',
  video: 'video',
  audio: 'audio',
  file: 'document',
  like_heart: 'sticker',
};
const shareTypes = ['share', 'ig_post', 'ig_reel', 'reel', 'story', 'ig_story', 'fallback', 'post'];

/** Never fails: what is not known is `unsupported` under the provider's name for it. */
export function readContent(message: JsonValue): InboundContent {
  if (flagAt(message, 'is_unsupported')) return { type: 'unsupported', name: 'unsupported' };
  const text = textAt(message, 'text');
  const attachments = arrayAt(message, 'attachments');
  if (attachments.length > 0) return readAttachments(attachments, text);
  const payload = textAt(message, 'quick_reply', 'payload');
  if (payload !== undefined) return { type: 'button_reply', id: payload, title: text ?? payload };
  if (objectAt(message, 'reply_to', 'story')) return readStoryReply(message, text ?? '');
  return text === undefined ? { type: 'unsupported', name: 'empty' } : { type: 'text', text };
}

function readStoryReply(message: JsonValue, text: string): InboundContent {
  const storyId = idAt(message, 'reply_to', 'story', 'id');
  return present({ type: 'story_reply', text, storyId, storyUrl: idAt(message, 'reply_to', 'story', 'url') });
}

function readAttachments(attachments: readonly JsonValue[], text: string | undefined): InboundContent {
  const [first] = attachments;
  const type = idAt(first, 'type') ?? 'unnamed';
  const media = mediaOf(first);
  const mediaType = Object.hasOwn(mediaTypes, type) ? mediaTypes[type] : undefined;
  if (mediaType) {
    const isSticker = valueAt(first, 'payload', 'sticker_id') !== undefined;
    const more = attachments.length > 1 ? attachments.map(mediaOf) : undefined;
    return present({ type: isSticker ? 'sticker' : mediaType, media, caption: text, more });
  }
  if (type === 'story_mention') return { type: 'story_mention', media };
  if (shareTypes.includes(type)) {
    return present({ type: 'share', media, title: idAt(first, 'payload', 'title') ?? idAt(first, 'title'), text });
  }
  return readLocation(first, type) ?? present({ type: 'unsupported', name: type, text });
}

function readLocation(attachment: JsonValue | undefined, type: string): InboundContent | undefined {
  const latitude = numberAt(attachment, 'payload', 'coordinates', 'lat');
  const longitude = numberAt(attachment, 'payload', 'coordinates', 'long');
  if (type !== 'location' || latitude === undefined || longitude === undefined) return undefined;
  return present({ type: 'location', latitude, longitude, name: idAt(attachment, 'title') });
}

/** A link of Instagram's file servers ends soon: whoever wants the file fetches it at once. */
function mediaOf(attachment: JsonValue | undefined): Media {
  const payload = valueAt(attachment, 'payload');
  const id = idAt(payload, 'reel_video_id') ?? idAt(payload, 'ig_post_media_id') ?? idAt(payload, 'id');
  return present({ id, url: idAt(payload, 'url') ?? idAt(attachment, 'url') });
}
