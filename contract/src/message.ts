/** What a message holds, the same in both directions and for every provider. */

export interface Media {
  /** The provider's id of the file (Meta: lives 7 days), where it has one. */
  readonly id?: string;
  /** Where it can be fetched; short-lived for most providers. */
  readonly url?: string;
  readonly mimeType?: string;
  readonly sha256?: string;
  readonly fileName?: string;
  readonly sizeBytes?: number;
  /** Base64 of the bytes, where the provider sends them along. */
  readonly base64?: string;
}

export interface OrderItem {
  readonly productId: string;
  readonly quantity: number;
  /** Price of one, as the provider wrote it (major units as decimal text), with its currency. */
  readonly price?: string;
  readonly currency?: string;
}

export interface ContactCard {
  readonly name: string;
  readonly phones: readonly string[];
  readonly emails: readonly string[];
  readonly organisation?: string;
  readonly vcard?: string;
}

export interface Choice {
  readonly id: string;
  readonly title: string;
  readonly description?: string;
}

export type MediaType = 'image' | 'video' | 'audio' | 'document' | 'sticker';

export type MessageContent =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: MediaType;
      readonly media: Media;
      readonly caption?: string;
      /** A voice note. */
      readonly isVoice?: boolean;
      /** All of them when one message carries several (Twilio, Instagram); `media` is the first. */
      readonly more?: readonly Media[];
    }
  | {
      readonly type: 'location';
      readonly latitude: number;
      readonly longitude: number;
      readonly name?: string;
      readonly address?: string;
    }
  | { readonly type: 'contacts'; readonly contacts: readonly ContactCard[] }
  /** `emoji` null takes the reaction away. */
  | { readonly type: 'reaction'; readonly targetId: string; readonly emoji: string | null }
  /** A tapped button, quick reply or postback. */
  | { readonly type: 'button_reply'; readonly id: string; readonly title: string }
  | { readonly type: 'list_reply'; readonly id: string; readonly title: string; readonly description?: string }
  /** A filled-in form (nfm_reply, call permission): its answer as the provider's JSON text. */
  | { readonly type: 'flow_reply'; readonly name: string; readonly answer: string; readonly text?: string }
  | {
      readonly type: 'order';
      readonly catalogId?: string;
      readonly text?: string;
      readonly items: readonly OrderItem[];
    }
  | { readonly type: 'edit'; readonly targetId: string; readonly content: MessageContent | null }
  | { readonly type: 'delete'; readonly targetId: string }
  | {
      readonly type: 'comment';
      readonly text: string;
      readonly mediaId?: string;
      readonly parentId?: string;
      readonly isLive?: boolean;
    }
  | { readonly type: 'mention'; readonly mediaId?: string; readonly commentId?: string; readonly text?: string }
  | { readonly type: 'story_reply'; readonly text: string; readonly storyId?: string; readonly storyUrl?: string }
  | { readonly type: 'story_mention'; readonly media: Media }
  /** A shared post or reel. */
  | { readonly type: 'share'; readonly media: Media; readonly title?: string; readonly text?: string }
  | { readonly type: 'referral'; readonly text?: string }
  | { readonly type: 'poll'; readonly title: string; readonly options: readonly string[] }
  /** Number changed, identity changed, joined a group: `name` says which. */
  | { readonly type: 'system'; readonly name: string; readonly text?: string; readonly newAddress?: string }
  | { readonly type: 'unsupported'; readonly name: string; readonly text?: string }
  /** Outbound only. */
  | { readonly type: 'buttons'; readonly text: string; readonly buttons: readonly Choice[]; readonly footer?: string }
  | {
      readonly type: 'list';
      readonly text: string;
      readonly button: string;
      readonly sections: readonly { readonly title?: string; readonly rows: readonly Choice[] }[];
      readonly footer?: string;
    }
  | {
      readonly type: 'template';
      readonly name: string;
      readonly language: string;
      /** Body parameters in order; for Twilio, `name` is the ContentSid and these become ContentVariables. */
      readonly parameters: readonly string[];
      /** A provider's own components, passed on as they are, where body parameters are not enough. */
      readonly components?: readonly unknown[];
    };

/** What can be sent. */
export type OutboundContent = Extract<
  MessageContent,
  { type: 'text' | MediaType | 'location' | 'contacts' | 'reaction' | 'buttons' | 'list' | 'template' }
>;

/** One line that stands for the message in lists, logs of people and history. */
export function summarise(content: MessageContent): string {
  switch (content.type) {
    case 'text':
    case 'comment':
    case 'story_reply':
      return content.text;
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return content.caption ? `[${content.type}] ${content.caption}` : `[${content.type}]`;
    case 'location':
      return `[location] ${content.name ?? `${content.latitude}, ${content.longitude}`}`;
    case 'contacts':
      return `[contacts] ${content.contacts.map((contact) => contact.name).join(', ')}`;
    case 'reaction':
      return content.emoji ?? '[reaction removed]';
    case 'button_reply':
    case 'list_reply':
      return content.title;
    case 'flow_reply':
      return `[form] ${content.name}`;
    case 'order':
      return `[order] ${content.items.length} item(s)`;
    case 'edit':
      return content.content ? `[edited] ${summarise(content.content)}` : '[edited]';
    case 'delete':
      return '[deleted]';
    case 'mention':
      return content.text ?? '[mention]';
    case 'story_mention':
      return '[story mention]';
    case 'share':
      return content.title ?? '[share]';
    case 'referral':
      return content.text ?? '[referral]';
    case 'poll':
      return `[poll] ${content.title}`;
    case 'system':
      return content.text ?? `[${content.name}]`;
    case 'unsupported':
      return `[unsupported: ${content.name}]`;
    case 'buttons':
    case 'list':
      return content.text;
    case 'template':
      return `[template] ${content.name}`;
    default: {
      const never: never = content;
      return never;
    }
  }
}
