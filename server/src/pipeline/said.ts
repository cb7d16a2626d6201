/** What a message says to the bot, by kind of content. Pure. */
import type { MessageContent } from '@switchyard/contract';
import type { FlowEvent } from '#flows';

export type Said =
  /** For the flow. */
  | { readonly kind: 'flow'; readonly event: FlowEvent }
  | { readonly kind: 'order' }
  /** Saved and shown, never answered: public, or nothing that waits for an answer. */
  | { readonly kind: 'nothing' };

export function saidBy(content: MessageContent): Said {
  switch (content.type) {
    case 'text':
    case 'story_reply':
      return { kind: 'flow', event: { kind: 'said', text: content.text } };
    case 'button_reply':
    case 'list_reply':
      return { kind: 'flow', event: { kind: 'said', text: content.title, choiceId: content.id } };
    case 'referral':
      return content.text
        ? { kind: 'flow', event: { kind: 'said', text: content.text } }
        : { kind: 'flow', event: { kind: 'started' } };
    case 'image':
    case 'video':
    case 'document':
      return content.caption
        ? { kind: 'flow', event: { kind: 'said', text: content.caption } }
        : { kind: 'flow', event: { kind: 'sent', type: content.type } };
    case 'audio':
    case 'location':
    case 'contacts':
    case 'flow_reply':
    case 'share':
      return { kind: 'flow', event: { kind: 'sent', type: content.type } };
    case 'order':
      return { kind: 'order' };
    case 'sticker':
    case 'poll':
    case 'comment':
    case 'mention':
    case 'story_mention':
    case 'system':
    case 'unsupported':
    case 'reaction':
    case 'edit':
    case 'delete':
    case 'buttons':
    case 'list':
    case 'template':
      return { kind: 'nothing' };
    default: {
      const never: never = content;
      return never;
    }
  }
}

/** The customer's own words; null for everything else. A tapped button's title counts: templates have STOP buttons. */
export function wordsOf(content: MessageContent): string | null {
  const said = saidBy(content);
  return said.kind === 'flow' && said.event.kind === 'said' ? said.event.text : null;
}
