/** What a customer's phone shows of a message, whichever provider carried it. */
import type { InboundContent } from './content.ts';

export interface ScreenChoice {
  readonly id: string;
  readonly title: string;
  readonly description?: string;
}

export interface ScreenContent {
  readonly type: string;
  readonly text?: string;
  readonly mediaUrl?: string;
  readonly fileName?: string;
  readonly footer?: string;
  readonly buttons?: readonly ScreenChoice[];
  readonly list?: {
    readonly button: string;
    readonly sections: readonly { readonly title: string; readonly rows: readonly ScreenChoice[] }[];
  };
  readonly targetId?: string;
  readonly location?: { readonly latitude: number; readonly longitude: number };
}

/** How the customer's own message looks on their screen. */
export function screenOf(content: InboundContent): ScreenContent {
  switch (content.type) {
    case 'text':
    case 'echo':
    case 'story_reply':
    case 'comment':
      return { type: content.type, text: content.text };
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return mediaScreen(content.type, content.media.url, content.caption ?? content.media.fileName);
    case 'location':
      return { type: 'location', text: content.name ?? `${content.latitude}, ${content.longitude}` };
    case 'contacts':
      return { type: 'contacts', text: content.contacts.map((card) => card.name).join(', ') };
    case 'reaction':
      return { type: 'reaction', text: content.emoji ?? '', targetId: content.targetId };
    case 'button_reply':
    case 'list_reply':
      return { type: content.type, text: content.choice.title };
    case 'flow_reply':
      return { type: 'flow_reply', text: content.name };
    case 'order':
      return { type: 'order', text: `Order: ${content.lines.length} item(s)` };
    case 'edit':
      return { type: 'edit', text: content.text, targetId: content.targetId };
    case 'delete':
      return { type: 'delete', targetId: content.targetId };
    case 'story_mention':
      return mediaScreen('story_mention', content.media.url, undefined);
    case 'share':
      return mediaScreen('share', content.media.url, content.title);
    case 'mention':
      return { type: 'mention', text: content.mediaId };
    case 'referral':
      return { type: 'referral', text: content.ref };
    case 'number_change':
      return { type: 'number_change', text: content.newNumber };
    case 'unsupported':
      return { type: 'unsupported' };
    default: {
      const never: never = content;
      return never;
    }
  }
}

export function mediaScreen(type: string, mediaUrl: string | undefined, text: string | undefined): ScreenContent {
  return { type, ...(mediaUrl ? { mediaUrl } : {}), ...(text ? { text } : {}) };
}
