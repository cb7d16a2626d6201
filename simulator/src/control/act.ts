/** What the control API and the phone page make happen: a customer writes, a receipt arrives, an account changes. */

import { isSuccess, type PostAnswer, type Posting } from '../posting/posting.ts';
import type { Receipts } from '../posting/receipts.ts';
import { isMediaKind, parseInboundContent } from '../world/content.ts';
import { parseCustomer, strangerOf } from '../world/customer.ts';
import { providers, type SimNumber } from '../world/number.ts';
import {
  type Fields,
  fieldsOf,
  isFields,
  oneOf,
  optionalFields,
  optionalFlag,
  optionalNumber,
  optionalText,
  textOf,
} from '../world/read.ts';
import { screenOf } from '../world/screen.ts';
import { type AccountChange, type Inbound, receiptStatuses } from '../world/stand.ts';
import { ENTRY_POINT_WINDOW_MS, openWindow, WINDOW_MS } from '../world/window.ts';
import type { World } from '../world/world.ts';

/** What became of one webhook. */
export interface ActResult {
  readonly messageId: string;
  /** `posted`: tried once; `held`: a fault keeps it back; `no_webhook`: nowhere to post it. */
  readonly outcome: 'posted' | 'held' | 'no_webhook';
  readonly heldBy?: string;
  readonly status?: number | null;
  readonly body?: string;
  readonly error?: string | null;
}

export class NotFound extends Error {
  override readonly name = 'NotFound';
}

/** The provider has no such thing. */
export class NotExpressible extends Error {
  override readonly name = 'NotExpressible';
}

export function numberOf(world: World, fields: Fields): SimNumber {
  const provider = oneOf(fields.provider, providers, 'provider');
  const name = textOf(fields, 'number');
  const number = world.registry.find(provider, name);
  if (!number) throw new NotFound(`No ${provider} number ${name} is registered`);
  return number;
}

/** `POST /control/inbound`. */
export async function actInbound(world: World, receipts: Receipts, input: unknown): Promise<ActResult> {
  const fields = fieldsOf(input, 'body');
  const number = numberOf(world, fields);
  const content = fieldsOf(fields.content, 'content');
  if (content.type === 'status') return actReceipt(world, receipts, number, fields, content);
  const change = accountChangeOf(number, content);
  if (change) return actAccount(world, number, change);
  return actMessage(world, number, inboundOf(world, number, fields));
}

function inboundOf(world: World, number: SimNumber, fields: Fields): Inbound {
  const content = parseInboundContent(fields.content);
  const replyTo = optionalText(fields, 'replyTo');
  const groupId = optionalText(fields, 'groupId');
  const referral = isFields(fields.referral) ? fields.referral : undefined;
  return {
    id: optionalText(fields, 'id') ?? world.stands[number.provider].messageId(world, number, isMediaKind(content.type)),
    atMs: optionalNumber(fields, 'timestampMs') ?? world.clock.now(),
    customer: parseCustomer(fields, number.provider === 'instagram'),
    content,
    isForwarded: optionalFlag(fields, 'isForwarded') ?? false,
    isStandby: optionalFlag(fields, 'isStandby') ?? false,
    ...(replyTo ? { replyTo } : {}),
    ...(groupId ? { groupId } : {}),
    ...(referral ? { referral } : {}),
  };
}

export async function actMessage(world: World, number: SimNumber, inbound: Inbound): Promise<ActResult> {
  const posting = world.stands[number.provider].inbound(world, number, inbound);
  if (!posting && number.webhook.url && number.webhook.isEnabled) {
    throw new NotExpressible(`${number.provider} has no ${inbound.content.type}`);
  }
  if (inbound.content.type !== 'echo') openTheWindow(number, inbound);
  showOnPhone(world, number, inbound);
  if (!posting) return { messageId: inbound.id, outcome: 'no_webhook' };
  return report(world, ticking(world, posting, number, inbound), inbound.id);
}

/** An advertisement's click keeps the window open for 72 hours instead of 24. */
function openTheWindow(number: SimNumber, inbound: Inbound): void {
  const extraMs = inbound.referral?.ctwa_clid === undefined ? 0 : ENTRY_POINT_WINDOW_MS - WINDOW_MS;
  openWindow(number, inbound.customer.key, inbound.atMs + extraMs);
}

function showOnPhone(world: World, number: SimNumber, inbound: Inbound): void {
  const { content, customer, id, atMs } = inbound;
  const screen = screenOf(content);
  if (content.type === 'edit' || content.type === 'delete') {
    world.threads.rewrite(
      number.key,
      customer.key,
      content.targetId,
      content.type === 'edit' ? { type: 'text', text: content.text } : screen,
    );
    return;
  }
  // Delivered a second time is not written a second time.
  if (world.threads.find(number.key, customer.key, id)) return;
  const direction = content.type === 'echo' ? 'out' : 'in';
  world.threads.add(number.key, customer, { id, direction, atMs, content: screen, tick: 'waiting' });
}

/** The customer's own tick: sent when our webhook was answered well, failed when not. */
function ticking(world: World, posting: Posting, number: SimNumber, inbound: Inbound): Posting {
  return {
    ...posting,
    settled: (answer) => {
      posting.settled?.(answer);
      const note = isSuccess(answer) ? undefined : String(answer.status ?? answer.error);
      const isRead = world.threads.find(number.key, inbound.customer.key, inbound.id)?.tick === 'read';
      if (!isRead)
        world.threads.tick(number.key, inbound.customer.key, inbound.id, isSuccess(answer) ? 'sent' : 'failed', note);
    },
  };
}

/** `content: {type: 'status', messageId, status, code?, correlation?}`: a receipt of our choosing. */
function actReceipt(
  world: World,
  receipts: Receipts,
  number: SimNumber,
  fields: Fields,
  content: Fields,
): Promise<ActResult> {
  const messageId = textOf(content, 'messageId');
  const status = oneOf(content.status, receiptStatuses, 'content.status');
  const correlation = optionalText(content, 'correlation');
  const callbackUrl = optionalText(content, 'callbackUrl');
  const code = content.code === undefined ? null : String(content.code);
  const kind = number.provider === 'instagram' ? 'instagram' : fields.bsuid ? 'bsuid' : 'phone';
  const customer = strangerOf(String(fields.from ?? fields.bsuid ?? ''), kind);
  const sent = {
    number,
    customer,
    messageId,
    type: 'text',
    atMs: world.clock.now(),
    ...(correlation ? { correlation } : {}),
    ...(callbackUrl ? { callbackUrl } : {}),
  };
  const answer = receipts.post(sent, status, code);
  if (!answer) throw new NotExpressible(`${number.provider} reports no ${status} here`);
  return answer.then((given) => resultOf(given, messageId));
}

/** Account-level events by short names, or by the provider's own with `content: {type: 'account', name, value}`. */
function accountChangeOf(number: SimNumber, content: Fields): AccountChange | null {
  const value = optionalFields(content.value, 'content.value');
  switch (content.type) {
    case 'account':
      return { name: optionalText(content, 'name') ?? defaultAccountName(number), value };
    case 'quality':
      return { name: 'phone_number_quality_update', value };
    case 'template':
      return { name: 'message_template_status_update', value };
    case 'preference':
      return { name: 'user_preferences', value };
    case 'connection':
      return { name: number.provider === 'webjs' ? 'session.status' : 'connection.update', value };
    case 'qr':
      return { name: number.provider === 'webjs' ? 'session.qr' : 'qrcode.updated', value };
    default:
      return null;
  }
}

function defaultAccountName(number: SimNumber): string {
  if (number.provider === 'evolution') return 'status.instance';
  return number.provider === 'webjs' ? 'session.status' : 'account_update';
}

async function actAccount(world: World, number: SimNumber, change: AccountChange): Promise<ActResult> {
  const posting = world.stands[number.provider].account(world, number, change);
  if (posting) return report(world, posting, change.name);
  if (number.webhook.url && number.webhook.isEnabled)
    throw new NotExpressible(`${number.provider} has no ${change.name}`);
  return { messageId: change.name, outcome: 'no_webhook' };
}

async function report(world: World, posting: Posting, messageId: string): Promise<ActResult> {
  const { heldBy, answer } = world.poster.post(posting);
  if (heldBy) return { messageId, outcome: 'held', heldBy };
  return resultOf(await answer, messageId);
}

function resultOf(answer: PostAnswer, messageId: string): ActResult {
  return { messageId, outcome: 'posted', status: answer.status, body: answer.body, error: answer.error };
}
