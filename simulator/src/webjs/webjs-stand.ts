/** The web companion: its webhooks, signed over time stamp, nonce and raw body (README.md, "The web companion"). */
import type { Posting } from '../posting/posting.ts';
import { signCompanion } from '../posting/sign.ts';
import { secondsOf } from '../world/clock.ts';
import { type InboundContent, isMediaKind, optional } from '../world/content.ts';
import type { Customer } from '../world/customer.ts';
import type { SimNumber } from '../world/number.ts';
import type { Random } from '../world/random.ts';
import type { Fields } from '../world/read.ts';
import type { Inbound, ReceiptStatus, SentMessage, Stand } from '../world/stand.ts';
import type { World } from '../world/world.ts';

export const webjsStand: Stand = {
  messageId: (world) => companionMessageId(world.random),
  wholeId: (inbound) => serialId(inbound.content.type === 'echo', chatOf(inbound), inbound.id),
  inbound: inboundPosting,
  receipt: receiptPosting,
  account: (world, number, change) => post(world, number, change.name, change.value, accountEnvelope(change.name)),
  connection: connectionPostings,
};

/** The web client's own numbers begin at −1; the names are what a receiver should read (providers.md, fact 11). */
const acks = {
  sent: { ack: 1, ackName: 'SERVER' },
  delivered: { ack: 2, ackName: 'DEVICE' },
  read: { ack: 3, ackName: 'READ' },
  played: { ack: 4, ackName: 'PLAYED' },
  failed: { ack: -1, ackName: 'ERROR' },
} as const;

export function companionMessageId(random: Random): string {
  return `3EB0${random.hex(18)}`;
}

export function sessionOf(number: SimNumber): string {
  return number.ids.session ?? number.number;
}

export function ownChatId(number: SimNumber): string {
  return `${number.digits}@c.us`;
}

export function chatIdOf(customer: Customer): string {
  return customer.phone && customer.lid === undefined
    ? `${customer.phone}@c.us`
    : `${customer.lid ?? customer.key}@lid`;
}

/** The id by which everything names a message; one that is whole already stays. */
export function serialId(fromMe: boolean, chatId: string, messageId: string): string {
  return /^(true|false)_/.test(messageId) ? messageId : `${fromMe}_${chatId}_${messageId}`;
}

function chatOf(inbound: Inbound): string {
  return inbound.groupId ? `${inbound.groupId}@g.us` : chatIdOf(inbound.customer);
}

type Envelope = Pick<Posting, 'operation' | 'what' | 'customer' | 'messageId'>;

function accountEnvelope(what: string): Envelope {
  return { operation: 'account', what, customer: '', messageId: '' };
}

function post(world: World, number: SimNumber, event: string, payload: Fields, envelope: Envelope): Posting | null {
  const url = number.webhook.url;
  if (!url) return null;
  const body = {
    id: `evt_${world.random.hex(26).toLowerCase()}`,
    timestamp: world.clock.now(),
    event,
    session: sessionOf(number),
    me: { id: ownChatId(number), pushName: number.name },
    payload,
  };
  const requestId = world.random.hex(32).toLowerCase();
  return {
    ...envelope,
    number,
    url,
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(body)),
    headers: (bytes, nowMs) => signedHeaders(world, number, requestId, bytes, nowMs),
  };
}

/** Each try has its own time and nonce; the request id stays. */
function signedHeaders(world: World, number: SimNumber, requestId: string, body: Buffer, nowMs: number) {
  const key = number.secrets.hmacKey ?? number.secrets.webhookSecret;
  const timestamp = String(nowMs);
  const nonce = world.random.hex(32).toLowerCase();
  return {
    'x-webhook-request-id': requestId,
    'x-webhook-timestamp': timestamp,
    'x-webhook-nonce': nonce,
    ...(key
      ? { 'x-webhook-hmac': signCompanion(key, timestamp, nonce, body), 'x-webhook-hmac-algorithm': 'sha256' }
      : {}),
  };
}

function inboundPosting(world: World, number: SimNumber, inbound: Inbound): Posting | null {
  const isEcho = inbound.content.type === 'echo';
  const envelope: Envelope = {
    operation: isEcho ? 'echo' : 'message',
    what: inbound.content.type,
    customer: inbound.customer.key,
    messageId: inbound.id,
  };
  const change = changeOf(inbound);
  if (change)
    return post(world, number, change.event, { ...frame(number, inbound, false), ...change.payload }, envelope);
  const part = contentPart(world, inbound.content);
  if (!part) return null;
  const replied = inbound.replyTo ? { replyTo: { id: serialId(true, chatOf(inbound), inbound.replyTo) } } : {};
  return post(world, number, 'message', { ...frame(number, inbound, isEcho), ...part, ...replied }, envelope);
}

function frame(number: SimNumber, inbound: Inbound, fromMe: boolean): Fields {
  const { customer, groupId } = inbound;
  const chatId = chatOf(inbound);
  return {
    id: inbound.id,
    from: fromMe ? ownChatId(number) : chatId,
    to: fromMe ? chatId : ownChatId(number),
    fromMe,
    chatId,
    ...optional('phone', customer.phone ? `+${customer.phone}` : undefined),
    ...optional('lid', customer.lid),
    ...optional('participant', groupId ? chatIdOf(customer) : undefined),
    ...optional('pushName', fromMe ? undefined : customer.name),
    timestamp: secondsOf(inbound.atMs),
  };
}

function changeOf(inbound: Inbound): { event: string; payload: Fields } | null {
  const { content, customer } = inbound;
  const target = (id: string) => serialId(false, chatIdOf(customer), id);
  switch (content.type) {
    case 'reaction':
      return {
        event: 'message.reaction',
        payload: {
          timestamp: inbound.atMs / 1000,
          reaction: { text: content.emoji ?? '', messageId: serialId(true, chatIdOf(customer), content.targetId) },
        },
      };
    case 'edit':
      return {
        event: 'message.edited',
        payload: { type: 'text', body: content.text, editedMessageId: target(content.targetId) },
      };
    case 'delete':
      return { event: 'message.revoked', payload: { type: 'revoked', revokedMessageId: target(content.targetId) } };
    default:
      return null;
  }
}

/** Null for what the web client does not hand on. */
function contentPart(world: World, content: InboundContent): Fields | null {
  if (isMediaKind(content.type) && 'media' in content) return mediaPart(world, content);
  switch (content.type) {
    case 'text':
    case 'echo':
      return { type: 'text', body: content.text };
    case 'location':
      return { type: 'location', body: content.name ?? '', location: locationPart(content) };
    case 'contacts':
      return { type: 'contacts', vCards: content.contacts.map((card) => vcardOf(card.name, card.phones)) };
    case 'button_reply':
      return { type: 'buttons_response', body: content.choice.title, selectedButtonId: content.choice.id };
    case 'list_reply':
      return { type: 'list_response', body: content.choice.title, selectedRowId: content.choice.id };
    case 'order':
      return { type: 'order', body: content.text, orderId: content.catalogId };
    case 'unsupported':
      return { type: 'ciphertext' };
    default:
      return null;
  }
}

function mediaPart(world: World, content: InboundContent): Fields | null {
  if (!isMediaKind(content.type) || !('media' in content)) return null;
  const file = world.media.putFor(content.type, content.media);
  const caption = 'caption' in content ? content.caption : undefined;
  const isVoice = 'isVoice' in content && content.isVoice === true;
  return {
    type: isVoice ? 'ptt' : content.type,
    ...optional('body', caption),
    media: {
      url: content.media.url ?? `${world.urls.webjs}/api/files/${file.id}`,
      mimetype: file.mimeType,
      filename: file.fileName,
      ...optional('base64', content.media.base64),
    },
  };
}

function locationPart(content: Extract<InboundContent, { type: 'location' }>): Fields {
  return {
    latitude: content.latitude,
    longitude: content.longitude,
    ...optional('name', content.name),
    ...optional('address', content.address),
  };
}

function vcardOf(name: string, phones: readonly string[]): string {
  const lines = phones.map((phone) => `TEL;type=CELL;waid=${phone.replace(/\D/g, '')}:${phone}`);
  return ['BEGIN:VCARD', 'VERSION:3.0', `FN:${name}`, ...lines, 'END:VCARD'].join('\n');
}

function receiptPosting(world: World, sent: SentMessage, status: ReceiptStatus): Posting | null {
  if (status === 'deleted') return null;
  const { number, customer } = sent;
  const chatId = chatIdOf(customer);
  const payload = {
    id: sent.messageId,
    ...optional('attemptId', sent.correlation),
    from: ownChatId(number),
    to: chatId,
    fromMe: true,
    chatId,
    ...optional('phone', customer.phone ? `+${customer.phone}` : undefined),
    ...optional('lid', customer.lid),
    timestamp: secondsOf(world.clock.now()),
    ...acks[status],
  };
  return post(world, number, 'message.ack', payload, {
    operation: 'receipt',
    what: acks[status].ackName,
    customer: customer.key,
    messageId: sent.messageId,
  });
}

const sessionStatuses = { open: 'WORKING', ban: 'FAILED', disconnect: 'STOPPED', qr: 'SCAN_QR_CODE' } as const;

function connectionPostings(world: World, number: SimNumber, cause: 'open' | 'ban' | 'disconnect' | 'qr'): Posting[] {
  const status = post(
    world,
    number,
    'session.status',
    { status: sessionStatuses[cause] },
    accountEnvelope('session.status'),
  );
  const code = `2@${Buffer.from(world.random.hex(48)).toString('base64')}`;
  const qr =
    cause === 'qr'
      ? post(world, number, 'session.qr', { code, expiresInSeconds: 20 }, accountEnvelope('session.qr'))
      : null;
  return [status, qr].filter((posting) => posting !== null);
}
