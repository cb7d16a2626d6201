/** `POST /{phone_number_id}/messages`: the hot path of every load test. Changes the number's limits and the ledger. */
import type { Dialect, Work } from '../faults/door.ts';
import { jsonReply, type Reply } from '../http/exchange.ts';
import type { SimNumber } from '../world/number.ts';
import { type Fields, isFields } from '../world/read.ts';
import { isWindowOpen, takeSendPermit } from '../world/window.ts';
import type { World } from '../world/world.ts';
import { type GraphRefusal, graphError } from './error-table.ts';
import { isRefusal } from './refusal.ts';
import { type CheckContext, type CheckedSend, checkSend } from './whatsapp-check.ts';
import { wamid } from './whatsapp-stand.ts';

export function whatsappDialect(world: World): Dialect {
  return {
    defaultErrorCode: '131000',
    error: (code) => graphError({ code }, world.random, 'whatsapp'),
    rateLimited: () => graphError({ code: '130429' }, world.random, 'whatsapp'),
    serverError: (status) => ({ ...graphError({ code: '2' }, world.random, 'whatsapp'), status }),
    withWrongId: (reply) => ({
      ...reply,
      body: String(reply.body).replace(/wamid\.[^"]+/, wamid(world.random, '0000000000')),
    }),
  };
}

/** Whether it is to be taken is decided before anything is changed; a permit is used up only by what passes the checks. */
export function sendWhatsapp(world: World, number: SimNumber, body: Fields, raw: Buffer, fault: string | null): Work {
  const checked = checkSend(body, contextOf(world, number));
  if (isRefusal(checked)) return refuse(world, number, checked, raw, fault);
  const nowMs = world.clock.now();
  const hit = blockOf(number) ?? takeSendPermit(number, checked.customer.key, nowMs);
  if (hit) return refuse(world, number, limitRefusals[hit], raw, fault, checked);
  const isOutside = checked.type !== 'template' && !isWindowOpen(number, checked.customer.key, nowMs);
  if (isOutside && number.windowRefusal === 'answer') {
    return refuse(world, number, { code: '131047' }, raw, fault, checked);
  }
  return accept(world, number, checked, raw, fault, isOutside ? '131047' : undefined);
}

const limitRefusals = {
  number: { code: '130429' },
  pair: { code: '131056' },
  banned: { code: '131031' },
  closed: { code: '133010' },
} as const satisfies Record<string, GraphRefusal>;

function blockOf(number: SimNumber): 'banned' | 'closed' | null {
  if (number.connection === 'banned') return 'banned';
  return number.connection === 'close' ? 'closed' : null;
}

function contextOf(world: World, number: SimNumber): CheckContext {
  return {
    templates: number.templates,
    hasMedia: (id) => world.media.get(id) !== undefined,
    mediaUrl: (id) => `${world.urls.phone}/phone/media/${id}`,
  };
}

function refuse(
  world: World,
  number: SimNumber,
  refusal: GraphRefusal,
  raw: Buffer,
  fault: string | null,
  checked?: CheckedSend,
): Work {
  const reply = graphError(refusal, world.random, 'whatsapp');
  world.ledger.add(
    world.clock.now(),
    {
      kind: 'refusal',
      provider: 'meta',
      number: number.number,
      status: reply.status,
      code: refusal.code,
      ...(checked ? { customer: checked.customer.key, what: checked.type } : {}),
      ...(checked?.correlation ? { correlation: checked.correlation } : {}),
      ...(fault ? { fault } : {}),
    },
    raw,
  );
  return { reply };
}

function accept(
  world: World,
  number: SimNumber,
  checked: CheckedSend,
  raw: Buffer,
  fault: string | null,
  failure: string | undefined,
): Work {
  const atMs = world.clock.now();
  const { customer, type, screen, correlation, category } = checked;
  const messageId = wamid(world.random, customer.phone ?? customer.key);
  world.ledger.add(
    atMs,
    {
      kind: 'send',
      provider: 'meta',
      number: number.number,
      customer: customer.key,
      messageId,
      what: type,
      status: 200,
      ...(screen.text === undefined ? {} : { text: screen.text }),
      ...(correlation ? { correlation } : {}),
      ...(fault ? { fault } : {}),
    },
    raw,
  );
  world.threads.add(number.key, customer, { id: messageId, direction: 'out', atMs, content: screen, tick: 'waiting' });
  const sent = {
    number,
    customer,
    messageId,
    type,
    atMs,
    ...(correlation ? { correlation } : {}),
    ...(category ? { category } : {}),
  };
  return { reply: acceptedReply(checked, messageId), sent, ...(failure ? { failure } : {}) };
}

function acceptedReply(checked: CheckedSend, messageId: string): Reply {
  const { customer, input } = checked;
  const contact = customer.phone ? { input, wa_id: customer.phone } : { input, user_id: customer.bsuid };
  const message = checked.type === 'template' ? { id: messageId, message_status: 'accepted' } : { id: messageId };
  return jsonReply(200, { messaging_product: 'whatsapp', contacts: [contact], messages: [message] });
}

/** `{status: "read", message_id, typing_indicator?}`: ticks the customer's message, and may show that we type. */
export function markRead(world: World, number: SimNumber, body: Fields, raw: Buffer, fault: string | null): Work {
  const id = body.message_id;
  if (typeof id !== 'string' || !id.startsWith('wamid.')) {
    return refuse(world, number, { code: '100', details: 'Invalid parameter message_id.' }, raw, fault);
  }
  const holder = world.threads.holderOf(number.key, id);
  world.ledger.add(
    world.clock.now(),
    {
      kind: 'read',
      provider: 'meta',
      number: number.number,
      messageId: id,
      status: 200,
      ...(holder ? { customer: holder.customer.key } : {}),
      ...(fault ? { fault } : {}),
    },
    raw,
  );
  if (holder) {
    world.threads.tick(number.key, holder.customer.key, id, 'read');
    if (isFields(body.typing_indicator)) world.threads.typing(number.key, holder.customer.key);
  }
  return { reply: jsonReply(200, { success: true }) };
}
