/** Changes of an entry: comments, mentions and insights, and direct messages where a delivery writes them as changes. */
import type { Identity, InboundEvent, MessageEvent } from '@switchyard/contract';
import type { Normalised } from '../channel.ts';
import { accountEvent, type Change, unsupportedEvent, valueKey } from '../graph/index.ts';
import { idAt, isObject, objectAt, present, textAt, Unreadable } from '../reading/index.ts';
import { keys } from './keys.ts';
import { instagramBindings, readMessaging } from './messaging.ts';

export function readChange(change: Change): Normalised | readonly InboundEvent[] {
  const { entry, field, value } = change;
  if (!isObject(value.value)) throw new Unreadable('the value of a change is no object');
  if (objectAt(value.value, 'sender')) return readMessaging(value, entry, field === 'standby');
  switch (field) {
    case 'comments':
    case 'live_comments':
      return [readComment(change)];
    case 'mentions':
      return [readMention(change)];
    case 'story_insights':
      return [accountEvent({ ...described(change), type: 'insight' })];
    default:
      return [unsupportedEvent({ ...described(change), reason: 'this field is not known' })];
  }
}

function described({ entry, field, value }: Change) {
  return { entry, name: field, part: value, bindings: instagramBindings(entry) };
}

/**
 * Some documents say `id`, others `comment_id`; deliveries have `id`. Our own comments come back too: they are echoes, or
 * a bot that answers comments would answer itself.
 */
function readComment(change: Change): MessageEvent {
  const { value, entry, field } = change;
  const id = idAt(value.value, 'id') ?? idAt(value.value, 'comment_id');
  if (id === undefined) throw new Unreadable('a comment without an id');
  const authorId = idAt(value.value, 'from', 'id');
  const isOwn = authorId !== undefined && authorId === entry.id;
  const content = present({
    type: 'comment',
    text: textAt(value.value, 'text') ?? '',
    mediaId: idAt(value.value, 'media', 'id'),
    parentId: idAt(value.value, 'parent_id'),
    isLive: field === 'live_comments' ? true : undefined,
  });
  return {
    ...messageBase(change, keys.comment(id)),
    type: isOwn ? 'echo' : 'comment',
    direction: isOwn ? 'out' : 'in',
    customer: isOwn ? [] : authorOf(change),
    content,
  };
}

function authorOf(change: Change): readonly Identity[] {
  const id = idAt(change.value.value, 'from', 'id');
  const username = idAt(change.value.value, 'from', 'username');
  const identities: Identity[] = [];
  if (id !== undefined) identities.push({ kind: 'instagram', value: id });
  if (username !== undefined) identities.push({ kind: 'username', value: username });
  return identities;
}

/** Only ids come: who mentioned us, and in which words, has to be asked for. */
function readMention(change: Change): MessageEvent {
  const mediaId = idAt(change.value.value, 'media_id');
  const commentId = idAt(change.value.value, 'comment_id');
  if (mediaId === undefined && commentId === undefined) throw new Unreadable('a mention without an id');
  return {
    ...messageBase(change, valueKey(change.field, change.entry, change.value)),
    type: 'mention',
    direction: 'in',
    customer: [],
    content: present({ type: 'mention', mediaId, commentId, text: textAt(change.value.value, 'text') }),
  };
}

function messageBase({ entry, value }: Change, key: string) {
  const bindings = instagramBindings(entry);
  return {
    kind: 'message',
    key,
    occurredAt: entry.sentAt,
    bindings,
    path: value.path,
    providerMessageId: key,
  } as const;
}
