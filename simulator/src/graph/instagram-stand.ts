/** Instagram: its webhooks (providers.md 2.1 to 2.4). Direct messages have milliseconds, changes have seconds. */
import type { GraphEntry } from '../posting/graph-body.ts';
import type { Posting } from '../posting/posting.ts';
import { secondsOf } from '../world/clock.ts';
import { type InboundContent, mediaTypes, optional } from '../world/content.ts';
import type { SimNumber } from '../world/number.ts';
import type { Random } from '../world/random.ts';
import type { Inbound, ReceiptStatus, SentMessage, Stand } from '../world/stand.ts';
import type { World } from '../world/world.ts';
import { graphHeaders } from './whatsapp-stand.ts';

type Part = Readonly<Record<string, unknown>>;
type Envelope = Pick<Posting, 'operation' | 'what' | 'customer' | 'messageId' | 'correlation'>;

export const instagramStand: Stand = {
  messageId: (world) => mid(world.random),
  inbound: (world, number, inbound) => {
    const change = changeOf(inbound);
    if (change) return post(number, changeEntry(world, number, change), envelopeOf(inbound, 'message'));
    const member = memberOf(world, inbound);
    if (!member) return null;
    const operation = inbound.content.type === 'echo' ? 'echo' : 'message';
    return post(number, messagingEntry(world, number, inbound, member), envelopeOf(inbound, operation));
  },
  receipt: (world, sent, status) => (status === 'read' ? readReceipt(world, sent, status) : null),
  account: (world, number, change) =>
    post(number, changeEntry(world, number, { field: change.name, value: change.value }), {
      operation: 'account',
      what: change.name,
      customer: '',
      messageId: '',
    }),
  /** Instagram says nothing of its own accord; the token simply stops working. */
  connection: () => [],
};

export function mid(random: Random): string {
  return `aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE${Buffer.from(random.hex(48)).toString('base64url')}ZD`;
}

export function instagramIdOf(number: SimNumber): string {
  return number.ids.instagramId ?? number.number;
}

/** What we sent comes back as an echo. */
export function echoOf(world: World, sent: SentMessage, message: Part): Posting | null {
  const member = { message: { mid: sent.messageId, ...message, is_echo: true } };
  const entry = {
    id: instagramIdOf(sent.number),
    time: world.clock.now(),
    messaging: [
      {
        sender: { id: instagramIdOf(sent.number) },
        recipient: { id: sent.customer.key },
        timestamp: world.clock.now(),
        ...member,
      },
    ],
  };
  return post(sent.number, entry, {
    operation: 'echo',
    what: 'echo',
    customer: sent.customer.key,
    messageId: sent.messageId,
  });
}

function post(number: SimNumber, entry: GraphEntry, envelope: Envelope): Posting | null {
  const url = number.webhook.url;
  if (!url) return null;
  return {
    ...envelope,
    number,
    url,
    body: { object: 'instagram', entry: [entry] },
    contentType: 'application/json',
    headers: (bytes) => graphHeaders(number, bytes),
  };
}

function envelopeOf(inbound: Inbound, operation: 'message' | 'echo'): Envelope {
  return { operation, what: inbound.content.type, customer: inbound.customer.key, messageId: inbound.id };
}

function changeEntry(world: World, number: SimNumber, change: { field: string; value: Part }): GraphEntry {
  return { id: instagramIdOf(number), time: secondsOf(world.clock.now()), changes: [change] };
}

function messagingEntry(world: World, number: SimNumber, inbound: Inbound, member: Part): GraphEntry {
  const page = { id: instagramIdOf(number) };
  const person = { id: inbound.customer.key };
  const isEcho = inbound.content.type === 'echo';
  const event = {
    sender: isEcho ? page : person,
    recipient: isEcho ? person : page,
    timestamp: inbound.atMs,
    ...member,
  };
  const base = { id: page.id, time: world.clock.now() };
  return inbound.isStandby ? { ...base, standby: [event] } : { ...base, messaging: [event] };
}

function changeOf(inbound: Inbound): { field: string; value: Part } | null {
  const { content, customer } = inbound;
  if (content.type === 'mention') {
    return { field: 'mentions', value: { media_id: content.mediaId, ...optional('comment_id', content.commentId) } };
  }
  if (content.type !== 'comment') return null;
  return {
    field: content.isLive ? 'live_comments' : 'comments',
    value: {
      from: { id: customer.key, username: customer.username ?? customer.name },
      media: { id: content.mediaId, media_product_type: content.isLive ? 'LIVE' : 'FEED' },
      id: inbound.id,
      ...optional('parent_id', content.parentId),
      text: content.text,
    },
  };
}

/** The member of a `messaging[]` element that says what happened. */
function memberOf(world: World, inbound: Inbound): Part | null {
  const { content, id } = inbound;
  const replied = inbound.replyTo ? { reply_to: { mid: inbound.replyTo } } : {};
  const referred = optional('referral', inbound.referral);
  switch (content.type) {
    case 'text':
      return { message: { mid: id, text: content.text, ...replied, ...referred } };
    case 'echo':
      return { message: { mid: id, text: content.text, is_echo: true } };
    case 'button_reply':
      return content.isTemplateButton
        ? { postback: { mid: id, title: content.choice.title, payload: content.choice.id } }
        : { message: { mid: id, text: content.choice.title, quick_reply: { payload: content.choice.id } } };
    case 'reaction':
      return { reaction: reactionPart(content) };
    case 'edit':
      return { message_edit: { mid: content.targetId, text: content.text, num_edit: 1 } };
    case 'delete':
      return { message: { mid: content.targetId, is_deleted: true } };
    case 'story_reply':
      return {
        message: { mid: id, text: content.text, reply_to: { story: { id: content.storyId, url: content.storyUrl } } },
      };
    case 'referral':
      return { referral: { ref: content.ref, source: `https://ig.me/m/shop?ref=${content.ref}`, type: 'OPEN_THREAD' } };
    case 'unsupported':
      return { message: { mid: id, is_unsupported: true } };
    default:
      return attachmentMember(world, inbound, replied);
  }
}

type ContentOf<T extends InboundContent['type']> = Extract<InboundContent, { type: T }>;

function reactionPart(content: ContentOf<'reaction'>): Part {
  if (content.emoji === null) return { mid: content.targetId, action: 'unreact' };
  return {
    mid: content.targetId,
    action: 'react',
    reaction: content.emoji === '❤️' ? 'love' : 'other',
    emoji: content.emoji,
  };
}

const attachmentTypes: Readonly<Record<string, string>> = {
  image: 'image',
  sticker: 'image',
  video: 'video',
  audio: 'audio',
  document: 'file',
  story_mention: 'story_mention',
  share: 'share',
};

function attachmentMember(world: World, inbound: Inbound, replied: Part): Part | null {
  const { content } = inbound;
  const type = attachmentTypes[content.type];
  if (!type || !('media' in content)) return null;
  const kind =
    mediaTypes.find((each) => each === content.type) ?? (content.type === 'share' ? 'share' : 'story_mention');
  const url = content.media.url ?? `${world.urls.graph}/cdn/${world.media.putFor(kind, content.media).id}`;
  const title = content.type === 'share' ? optional('title', content.title) : {};
  return { message: { mid: inbound.id, attachments: [{ type, payload: { url, ...title } }], ...replied } };
}

/** Instagram reports only `read`, and that for everything up to the message. */
function readReceipt(world: World, sent: SentMessage, status: ReceiptStatus): Posting | null {
  const nowMs = world.clock.now();
  const entry = {
    id: instagramIdOf(sent.number),
    time: nowMs,
    messaging: [
      {
        sender: { id: sent.customer.key },
        recipient: { id: instagramIdOf(sent.number) },
        timestamp: nowMs,
        read: { mid: sent.messageId },
      },
    ],
  };
  return post(sent.number, entry, {
    operation: 'receipt',
    what: status,
    customer: sent.customer.key,
    messageId: sent.messageId,
  });
}
