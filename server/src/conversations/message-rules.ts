/** What a message moves, and who may touch it. Pure. */
import type { Media, MessageContent } from '@switchyard/contract';
import type { MessageAct, NewMessage } from './conversations.ts';

/**
 * Does it open the 24-hour window? Whatever a customer writes to us does, a story mention too; a public comment does
 * not (providers' documents), a test never.
 */
export function opensWindow(message: NewMessage): boolean {
  const isPublic = message.content.type === 'comment' || message.content.type === 'mention';
  const isEvent = message.content.type === 'system' || message.content.type === 'unsupported';
  return message.author === 'customer' && message.isTest !== true && !isPublic && !isEvent;
}

/** A person who answers from the phone has read what was there. */
export function unreadAfter(message: NewMessage): 'more' | 'none' | 'same' {
  if (message.isHistory || message.isTest) return 'same';
  if (message.author === 'customer') return 'more';
  return message.author === 'device' ? 'none' : 'same';
}

/** Bytes that came inside the message stay in the delivery; the message names them. */
export function withoutBytes(content: MessageContent): MessageContent {
  switch (content.type) {
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return {
        ...content,
        media: lighter(content.media),
        ...(content.more ? { more: content.more.map(lighter) } : {}),
      };
    case 'story_mention':
    case 'share':
      return { ...content, media: lighter(content.media) };
    default:
      return content;
  }
}

function lighter({ base64: _base64, ...media }: Media): Media {
  return media;
}

export interface TargetFacts {
  readonly direction: 'in' | 'out';
  readonly isSameThread: boolean;
  readonly editedAt: Date | null;
  readonly deletedAt: Date | null;
}

/** Edits and deletes: each side its own messages, in its own thread. A deleted message stays deleted. */
export function mayChange(act: MessageAct, target: TargetFacts): 'yes' | 'late' | 'foreign' {
  const own = act.by === 'customer' ? 'in' : 'out';
  if (!target.isSameThread || target.direction !== own) return 'foreign';
  return target.deletedAt === null ? 'yes' : 'late';
}

export function mayEdit(act: MessageAct, target: TargetFacts): 'yes' | 'late' | 'foreign' {
  const isOlder = target.editedAt !== null && act.at < target.editedAt;
  const allowed = mayChange(act, target);
  return allowed === 'yes' && isOlder ? 'late' : allowed;
}

/** Reactions go to messages of either side. */
export function mayReact(target: TargetFacts): 'yes' | 'late' | 'foreign' {
  if (!target.isSameThread) return 'foreign';
  return target.deletedAt === null ? 'yes' : 'late';
}
