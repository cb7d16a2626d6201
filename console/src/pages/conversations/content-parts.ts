/** What a bubble shows for each kind of content: text, a card with a picture, choices. Text only, never markup. */
import type { Choice, Media, MessageContent, MessageView } from '@switchyard/contract';
import i18next from 'i18next';

export interface Card {
  readonly icon: string;
  readonly title: string;
  readonly lines: readonly string[];
  /** Only http and https: what a customer sends may name any scheme. */
  readonly url: string | null;
}

export interface Parts {
  readonly text: string | null;
  readonly cards: readonly Card[];
  readonly choices: readonly Choice[];
  readonly footer: string | null;
}

export function partsOf(message: Pick<MessageView, 'content' | 'text'>): Parts {
  // The contract: `content` is as contract/message.ts says, by `type`.
  const content = message.content as unknown as MessageContent;
  switch (content.type) {
    case 'text':
      return words(content.text);
    case 'image':
    case 'video':
    case 'document':
    case 'sticker':
    case 'audio': {
      const all = content.more?.length ? content.more : [content.media];
      return { ...words(content.caption), cards: all.map((media) => mediaCard(content.type, media, content.isVoice)) };
    }
    case 'location':
      return card('i-lucide-map-pin', 'content.location', [
        content.name,
        content.address,
        `${content.latitude}, ${content.longitude}`,
      ]);
    case 'contacts':
      return {
        ...words(null),
        cards: content.contacts.map((contact) => ({
          icon: 'i-lucide-contact',
          title: contact.name || i18next.t('content.contacts'),
          lines: [...contact.phones, ...contact.emails, ...(contact.organisation ? [contact.organisation] : [])],
          url: null,
        })),
      };
    case 'button_reply':
      return { ...card('i-lucide-mouse-pointer-click', 'content.tapped', []), text: content.title };
    case 'list_reply':
      return { ...card('i-lucide-list', 'content.tapped', [content.description]), text: content.title };
    case 'order':
      return {
        ...card(
          'i-lucide-shopping-cart',
          'content.order',
          content.items.map((item) =>
            `${item.quantity} × ${item.productId} ${item.price ?? ''} ${item.currency ?? ''}`.trim(),
          ),
        ),
        text: content.text ?? null,
      };
    case 'buttons':
      return { ...words(content.text), choices: content.buttons, footer: content.footer ?? null };
    case 'list':
      return {
        ...words(content.text),
        choices: content.sections.flatMap((section) => section.rows),
        footer: content.footer ?? null,
      };
    case 'template':
      return card('i-lucide-layout-template', 'content.template', [
        `${content.name} (${content.language})`,
        ...content.parameters,
      ]);
    case 'story_mention':
      return { ...words(null), cards: [mediaCard('story_mention', content.media)] };
    case 'share':
      return {
        ...words(content.text),
        cards: [{ ...mediaCard('share', content.media), lines: textLines([content.title]) }],
      };
    case 'story_reply':
      return { ...card('i-lucide-instagram', 'content.storyReply', [], content.storyUrl), text: content.text };
    case 'comment':
      return { ...card('i-lucide-message-circle', 'content.comment', []), text: content.text };
    case 'mention':
      return { ...card('i-lucide-at-sign', 'content.mention', []), text: content.text ?? null };
    case 'referral':
      return card('i-lucide-megaphone', 'content.referral', [content.text]);
    case 'poll':
      return { ...card('i-lucide-list', 'content.poll', content.options), text: content.title };
    case 'flow_reply':
      return { ...card('i-lucide-file', 'content.form', [content.name]), text: content.text ?? null };
    case 'system':
      return card('i-lucide-info', 'content.system', [content.text ?? content.name]);
    case 'unsupported':
      return {
        ...words(content.text),
        cards: [
          {
            icon: 'i-lucide-circle-alert',
            title: i18next.t('content.unsupported', { name: content.name }),
            lines: [],
            url: null,
          },
        ],
      };
    case 'reaction':
    case 'edit':
    case 'delete':
      return words(message.text);
    default: {
      const never: never = content;
      return words((never as MessageView['content']).type);
    }
  }
}

function words(text: string | null | undefined): Parts {
  return { text: text || null, cards: [], choices: [], footer: null };
}

type TitleKey = Extract<Parameters<typeof i18next.exists>[0], string> & `content.${string}`;

function card(icon: string, title: TitleKey, lines: readonly (string | undefined)[], url?: string): Parts {
  return {
    ...words(null),
    cards: [{ icon, title: i18next.t(title as 'content.location'), lines: textLines(lines), url: safeUrl(url) }],
  };
}

const mediaLooks = {
  image: { icon: 'i-lucide-image', title: 'content.image' },
  video: { icon: 'i-lucide-video', title: 'content.video' },
  audio: { icon: 'i-lucide-music', title: 'content.audio' },
  document: { icon: 'i-lucide-file', title: 'content.document' },
  sticker: { icon: 'i-lucide-sticker', title: 'content.sticker' },
  story_mention: { icon: 'i-lucide-instagram', title: 'content.storyMention' },
  share: { icon: 'i-lucide-share-2', title: 'content.share' },
} as const;

function mediaCard(type: keyof typeof mediaLooks, media: Media, isVoice = false): Card {
  const { icon, title } = isVoice ? ({ icon: 'i-lucide-mic', title: 'content.voice' } as const) : mediaLooks[type];
  return { icon, title: i18next.t(title), lines: textLines([media.fileName, media.mimeType]), url: safeUrl(media.url) };
}

function textLines(lines: readonly (string | undefined)[]): string[] {
  return lines.filter((line): line is string => Boolean(line));
}

function safeUrl(url: string | undefined): string | null {
  return url !== undefined && /^https?:\/\//i.test(url) ? url : null;
}
