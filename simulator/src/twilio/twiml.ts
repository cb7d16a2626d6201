/**
 * What Twilio does with the answer to a message webhook: TwiML with `<Message>` is sent to the customer; anything that
 * is not XML is an error of its own (12300), noted in the ledger (providers.md 3.4).
 */
import { isSuccess, type PostAnswer } from '../posting/posting.ts';
import type { Customer } from '../world/customer.ts';
import type { SimNumber } from '../world/number.ts';
import type { World } from '../world/world.ts';
import { accountSidOf, addressOf, sid } from './addresses.ts';
import type { TwilioMessages } from './message-store.ts';

const MESSAGE = /<Message\b[^>]*>([\s\S]*?)<\/Message>/g;
const BODY = /<Body\b[^>]*>([\s\S]*?)<\/Body>/;
const MEDIA = /<Media\b[^>]*>([\s\S]*?)<\/Media>/;

export interface TwimlMessage {
  readonly body: string;
  readonly mediaUrl: string | null;
}

export function readTwiml(xml: string): TwimlMessage[] {
  return [...xml.matchAll(MESSAGE)].map(([, inner = '']) => {
    const body = BODY.exec(inner)?.[1];
    const media = MEDIA.exec(inner)?.[1];
    const bare = inner.includes('<') ? '' : inner;
    return { body: unescapeXml((body ?? bare).trim()), mediaUrl: media ? unescapeXml(media.trim()) : null };
  });
}

export function answerTwiml(
  world: World,
  number: SimNumber,
  customer: Customer,
  answer: PostAnswer,
  messages: TwilioMessages,
): void {
  if (!isSuccess(answer) || answer.body.trim() === '') return;
  if (!/xml|text\/html/.test(answer.contentType)) {
    world.ledger.add(world.clock.now(), {
      kind: 'refusal',
      provider: 'twilio',
      number: number.number,
      customer: customer.key,
      what: 'twiml',
      code: '12300',
    });
    return;
  }
  for (const reply of readTwiml(answer.body)) sendReply(world, number, customer, reply, messages);
}

function sendReply(
  world: World,
  number: SimNumber,
  customer: Customer,
  reply: TwimlMessage,
  messages: TwilioMessages,
): void {
  const atMs = world.clock.now();
  const messageId = sid(world.random, reply.mediaUrl ? 'MM' : 'SM');
  messages.add({
    sid: messageId,
    accountSid: accountSidOf(number),
    direction: 'outbound-reply',
    from: addressOf(number),
    to: `whatsapp:+${customer.phone ?? customer.key}`,
    body: reply.body,
    createdMs: atMs,
    updatedMs: atMs,
    serviceSid: null,
    media: [],
    mediaCount: reply.mediaUrl ? 1 : 0,
    status: 'sent',
    errorCode: null,
  });
  world.ledger.add(atMs, {
    kind: 'send',
    provider: 'twilio',
    number: number.number,
    customer: customer.key,
    messageId,
    what: 'twiml',
    text: reply.body,
    status: null,
  });
  const content = {
    type: reply.mediaUrl ? 'image' : 'text',
    text: reply.body,
    ...(reply.mediaUrl ? { mediaUrl: reply.mediaUrl } : {}),
  };
  world.threads.add(number.key, customer, { id: messageId, direction: 'out', atMs, content, tick: 'sent' });
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
