/** `POST /{ig_id|me}/messages` (providers.md 2.5). */
import type { Dialect, Work } from '../faults/door.ts';
import { jsonReply } from '../http/exchange.ts';
import { type Customer, strangerOf } from '../world/customer.ts';
import type { SimNumber } from '../world/number.ts';
import { type Fields, isFields } from '../world/read.ts';
import type { ScreenChoice, ScreenContent } from '../world/screen.ts';
import { isWindowOpen, takeSendPermit, WINDOW_MS } from '../world/window.ts';
import type { World } from '../world/world.ts';
import { type GraphRefusal, graphError } from './error-table.ts';
import { echoOf, mid } from './instagram-stand.ts';

/** Instagram counts bytes, not characters. */
const TEXT_LIMIT_BYTES = 1_000;
const QUICK_REPLY_LIMIT = 13;
const QUICK_REPLY_TITLE_LIMIT = 20;
const HUMAN_AGENT_WINDOW_MS = 7 * WINDOW_MS;
const OUTSIDE_WINDOW: GraphRefusal = {
  code: '10',
  details: 'This message is sent outside of allowed window.',
};

export function instagramDialect(world: World): Dialect {
  return {
    defaultErrorCode: '2',
    error: (code) => graphError({ code }, world.random, 'instagram'),
    rateLimited: () => graphError({ code: '613' }, world.random, 'instagram'),
    serverError: (status) => ({ ...graphError({ code: '2' }, world.random, 'instagram'), status }),
    withWrongId: (reply) => ({
      ...reply,
      body: String(reply.body).replace(/"message_id":"[^"]+"/, `"message_id":"${mid(world.random)}"`),
    }),
  };
}

export function sendInstagram(world: World, number: SimNumber, body: Fields, raw: Buffer, fault: string | null): Work {
  const customer = recipientOf(body);
  if (!customer)
    return refuse(world, number, { code: '100', details: 'The parameter recipient is required' }, raw, fault);
  if (typeof body.sender_action === 'string') return act(world, number, customer, body.sender_action, raw);
  const screen = screenOf(body.message);
  if ('code' in screen) return refuse(world, number, screen, raw, fault, customer);
  const refusal = stateRefusal(number) ?? windowRefusal(world, number, customer, body);
  if (refusal) return refuse(world, number, refusal, raw, fault, customer);
  if (takeSendPermit(number, customer.key, world.clock.now()))
    return refuse(world, number, { code: '613' }, raw, fault, customer);
  return accept(world, number, customer, body, screen, raw, fault);
}

function recipientOf(body: Fields): Customer | null {
  const recipient = body.recipient;
  if (!isFields(recipient)) return null;
  const id = recipient.id ?? recipient.comment_id;
  return typeof id === 'string' && id !== '' ? strangerOf(id, 'instagram') : null;
}

function screenOf(message: unknown): ScreenContent | GraphRefusal {
  if (!isFields(message)) return { code: '100', details: 'The parameter message is required' };
  const { text, attachment } = message;
  if (isFields(attachment)) return attachmentScreen(attachment);
  if (typeof text !== 'string' || text === '')
    return { code: '100', details: 'Message cannot be empty, must provide valid attachment or text' };
  if (Buffer.byteLength(text) > TEXT_LIMIT_BYTES)
    return { code: '100', details: `Length of param message[text] must be less than or equal to ${TEXT_LIMIT_BYTES}` };
  const replies = message.quick_replies;
  if (replies === undefined) return { type: 'text', text };
  const buttons = quickReplies(replies);
  return Array.isArray(buttons) ? { type: 'buttons', text, buttons } : buttons;
}

function quickReplies(input: unknown): ScreenChoice[] | GraphRefusal {
  if (!Array.isArray(input) || input.length === 0 || input.length > QUICK_REPLY_LIMIT) {
    return { code: '100', details: `Param message[quick_replies] must have 1 to ${QUICK_REPLY_LIMIT} entries` };
  }
  const choices: ScreenChoice[] = [];
  for (const each of input as unknown[]) {
    const title = isFields(each) ? each.title : undefined;
    const payload = isFields(each) ? each.payload : undefined;
    if (typeof title !== 'string' || typeof payload !== 'string' || title.length > QUICK_REPLY_TITLE_LIMIT) {
      return { code: '100', details: 'Param message[quick_replies][0] is not valid' };
    }
    choices.push({ id: payload, title });
  }
  return choices;
}

function attachmentScreen(attachment: Fields): ScreenContent | GraphRefusal {
  const { type, payload } = attachment;
  if (!isFields(payload)) return { code: '100', details: 'Param message[attachment][payload] is required' };
  if (type === 'template') return templateScreen(payload);
  if (typeof payload.url !== 'string' && typeof payload.id !== 'string' && typeof payload.attachment_id !== 'string') {
    return { code: '100', details: 'Param message[attachment][payload][url] is required' };
  }
  const known = ['image', 'video', 'audio', 'file', 'like_heart', 'MEDIA_SHARE'];
  if (typeof type !== 'string' || !known.includes(type))
    return { code: '100', details: 'Param message[attachment][type] is not valid' };
  const url = payload.url;
  return { type: type === 'file' ? 'document' : type, ...(typeof url === 'string' ? { mediaUrl: url } : {}) };
}

/** Button and generic templates: the buttons are postbacks. */
function templateScreen(payload: Fields): ScreenContent | GraphRefusal {
  const first = Array.isArray(payload.elements) ? (payload.elements as unknown[])[0] : payload;
  const element = isFields(first) ? first : payload;
  const text = payload.text ?? element.title;
  const buttons = Array.isArray(element.buttons) ? (element.buttons as unknown[]).filter(isFields) : [];
  if (typeof text !== 'string' || text === '')
    return { code: '100', details: 'Param message[attachment][payload] is not valid' };
  if (buttons.length > 3) return { code: '100', details: 'Param buttons may have at most 3 entries' };
  const choices = buttons.map((button) => ({
    id: String(button.payload ?? button.url),
    title: String(button.title),
  }));
  return { type: 'buttons', text, buttons: choices };
}

function stateRefusal(number: SimNumber): GraphRefusal | null {
  if (number.connection === 'banned') return { code: '368' };
  return number.connection === 'close' ? { code: '190' } : null;
}

function windowRefusal(world: World, number: SimNumber, customer: Customer, body: Fields): GraphRefusal | null {
  const isPrivateReply = isFields(body.recipient) && body.recipient.comment_id !== undefined;
  if (isPrivateReply) return null;
  const lengthMs = body.tag === 'HUMAN_AGENT' ? HUMAN_AGENT_WINDOW_MS : WINDOW_MS;
  return isWindowOpen(number, customer.key, world.clock.now(), lengthMs) ? null : OUTSIDE_WINDOW;
}

function act(world: World, number: SimNumber, customer: Customer, action: string, raw: Buffer): Work {
  world.ledger.add(
    world.clock.now(),
    { kind: 'read', provider: 'instagram', number: number.number, customer: customer.key, what: action, status: 200 },
    raw,
  );
  if (action === 'typing_on') world.threads.typing(number.key, customer.key);
  if (action === 'mark_seen') tickNewest(world, number, customer);
  return { reply: jsonReply(200, { recipient_id: customer.key }) };
}

function tickNewest(world: World, number: SimNumber, customer: Customer): void {
  const messages = world.threads.get(number.key, customer.key)?.messages ?? [];
  for (const message of messages) {
    if (message.direction === 'in') world.threads.tick(number.key, customer.key, message.id, 'read');
  }
}

function refuse(
  world: World,
  number: SimNumber,
  refusal: GraphRefusal,
  raw: Buffer,
  fault: string | null,
  customer?: Customer,
): Work {
  const reply = graphError(refusal, world.random, 'instagram');
  world.ledger.add(
    world.clock.now(),
    {
      kind: 'refusal',
      provider: 'instagram',
      number: number.number,
      status: reply.status,
      code: refusal.code,
      ...(customer ? { customer: customer.key } : {}),
      ...(fault ? { fault } : {}),
    },
    raw,
  );
  return { reply };
}

function accept(
  world: World,
  number: SimNumber,
  customer: Customer,
  body: Fields,
  screen: ScreenContent,
  raw: Buffer,
  fault: string | null,
): Work {
  const atMs = world.clock.now();
  const messageId = mid(world.random);
  world.ledger.add(
    atMs,
    {
      kind: 'send',
      provider: 'instagram',
      number: number.number,
      customer: customer.key,
      messageId,
      what: screen.type,
      status: 200,
      ...(screen.text === undefined ? {} : { text: screen.text }),
      ...(fault ? { fault } : {}),
    },
    raw,
  );
  world.threads.add(number.key, customer, { id: messageId, direction: 'out', atMs, content: screen, tick: 'sent' });
  const sent = { number, customer, messageId, type: screen.type, atMs };
  if (number.autoReceipts) postEcho(world, sent, body);
  return { reply: jsonReply(200, { recipient_id: customer.key, message_id: messageId }), sent };
}

function postEcho(world: World, sent: Parameters<typeof echoOf>[1], body: Fields): void {
  const message = isFields(body.message) ? body.message : {};
  const echoed = typeof message.text === 'string' ? { text: message.text } : { attachments: [message.attachment] };
  const posting = echoOf(world, sent, echoed);
  if (!posting) return;
  world.poster.postLater(posting, sent.number.receiptDelaysMs.sent);
}
