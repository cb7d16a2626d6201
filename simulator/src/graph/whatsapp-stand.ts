/** WhatsApp Cloud API: its webhooks (providers.md 1.3 to 1.7). */
import type { GraphBody } from '../posting/graph-body.ts';
import type { Posting } from '../posting/posting.ts';
import { signGraph } from '../posting/sign.ts';
import { secondsOf } from '../world/clock.ts';
import { optional } from '../world/content.ts';
import type { Customer } from '../world/customer.ts';
import type { SimNumber } from '../world/number.ts';
import type { Random } from '../world/random.ts';
import type { AccountChange, Inbound, ReceiptStatus, SentMessage, Stand } from '../world/stand.ts';
import type { World } from '../world/world.ts';
import { statusError } from './error-table.ts';
import { whatsappMessage } from './whatsapp-message.ts';

export const whatsappStand: Stand = {
  messageId: (world, number) => wamid(world.random, number.digits),
  inbound: (world, number, inbound) =>
    inbound.content.type === 'echo' ? echo(world, number, inbound) : message(world, number, inbound),
  receipt,
  account,
  connection: (world, number, cause) => {
    const posting = account(world, number, connectionChange(number, cause));
    return posting ? [posting] : [];
  },
};

/** A message id as the Cloud API makes them: a wrapped phone number and twenty hexadecimal digits, in base64. */
export function wamid(random: Random, phone: string): string {
  const text = `\x1c\x18${String.fromCharCode(phone.length)}${phone}\x15\x02\x00\x11\x18\x14${random.hex(20)}\x00`;
  return `wamid.${Buffer.from(text, 'latin1').toString('base64')}`;
}

interface Change {
  readonly field: string;
  readonly value: Readonly<Record<string, unknown>>;
}

type Envelope = Pick<Posting, 'operation' | 'what' | 'customer' | 'messageId' | 'correlation' | 'settled'>;

function post(world: World, number: SimNumber, change: Change, envelope: Envelope): Posting | null {
  const url = number.webhook.url;
  if (!url) return null;
  const entry = {
    id: number.ids.wabaId ?? '0',
    time: secondsOf(world.clock.now()),
    changes: [{ value: change.value, field: change.field }],
  };
  const body: GraphBody = { object: 'whatsapp_business_account', entry: [entry] };
  return {
    ...envelope,
    number,
    url,
    body,
    contentType: 'application/json',
    headers: (bytes) => graphHeaders(number, bytes),
  };
}

/** What Meta puts on each webhook; without an app secret there is nothing to sign with. */
export function graphHeaders(number: SimNumber, body: Buffer): Record<string, string> {
  const secret = number.secrets.appSecret;
  return {
    'user-agent': 'facebookexternalua',
    accept: '*/*',
    ...(secret ? { 'x-hub-signature-256': signGraph(secret, body) } : {}),
  };
}

function metadata(number: SimNumber): Record<string, unknown> {
  return {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: number.digits, phone_number_id: number.ids.phoneNumberId },
  };
}

function contact(customer: Customer): Record<string, unknown> {
  return {
    profile: { name: customer.name, ...optional('username', customer.username) },
    ...optional('wa_id', customer.phone),
    ...optional('user_id', customer.bsuid),
    ...optional('parent_user_id', customer.parentBsuid),
  };
}

function message(world: World, number: SimNumber, inbound: Inbound): Posting | null {
  const body = whatsappMessage(world, number, inbound);
  if (!body) return null;
  const value = { ...metadata(number), contacts: [contact(inbound.customer)], messages: [body] };
  return post(
    world,
    number,
    { field: 'messages', value },
    {
      operation: 'message',
      what: inbound.content.type,
      customer: inbound.customer.key,
      messageId: inbound.id,
    },
  );
}

/** The owner wrote on the phone (coexistence). */
function echo(world: World, number: SimNumber, inbound: Inbound): Posting | null {
  if (inbound.content.type !== 'echo') return null;
  const body = {
    from: number.digits,
    ...optional('to', inbound.customer.phone),
    ...optional('to_user_id', inbound.customer.bsuid),
    id: inbound.id,
    timestamp: String(secondsOf(inbound.atMs)),
    type: 'text',
    text: { body: inbound.content.text },
  };
  const value = { ...metadata(number), message_echoes: [body] };
  return post(
    world,
    number,
    { field: 'smb_message_echoes', value },
    {
      operation: 'echo',
      what: 'echo',
      customer: inbound.customer.key,
      messageId: inbound.id,
    },
  );
}

function receipt(world: World, sent: SentMessage, status: ReceiptStatus, errorCode: string | null): Posting | null {
  const { number, customer } = sent;
  const body = {
    id: sent.messageId,
    status,
    timestamp: String(secondsOf(world.clock.now())),
    ...(customer.phone ? { recipient_id: customer.phone } : { recipient_user_id: customer.bsuid }),
    ...optional('parent_user_id', customer.phone ? undefined : customer.parentBsuid),
    ...pricing(sent, status),
    ...(errorCode === null ? {} : { errors: [statusError(errorCode)] }),
    ...optional('biz_opaque_callback_data', sent.correlation),
  };
  return post(
    world,
    number,
    { field: 'messages', value: { ...metadata(number), statuses: [body] } },
    {
      operation: 'receipt',
      what: status,
      customer: customer.key,
      messageId: sent.messageId,
      ...optional('correlation', sent.correlation),
    },
  );
}

/** Prices come with `sent` and with one of delivered and read (providers.md 1.5). */
function pricing(sent: SentMessage, status: ReceiptStatus): Record<string, unknown> {
  if (status !== 'sent' && status !== 'delivered') return {};
  const isService = sent.type !== 'template';
  return {
    pricing: {
      billable: !isService,
      pricing_model: 'PMP',
      type: isService ? 'free_customer_service' : 'regular',
      category: isService ? 'service' : (sent.category ?? 'utility'),
    },
  };
}

function account(world: World, number: SimNumber, change: AccountChange): Posting | null {
  const value = { ...accountDefaults(world, number, change.name), ...change.value };
  return post(
    world,
    number,
    { field: change.name, value },
    {
      operation: 'account',
      what: change.name,
      customer: '',
      messageId: '',
    },
  );
}

/** What each account-level field carries when the test names no values. */
function accountDefaults(world: World, number: SimNumber, field: string): Record<string, unknown> {
  switch (field) {
    case 'message_template_status_update':
      return {
        event: 'APPROVED',
        message_template_id: 1_000_000_000_001,
        message_template_name: 'order_update',
        message_template_language: 'en_US',
        reason: 'NONE',
        message_template_category: 'UTILITY',
      };
    case 'message_template_quality_update':
      return {
        previous_quality_score: 'GREEN',
        new_quality_score: 'YELLOW',
        message_template_id: 1_000_000_000_001,
        message_template_name: 'order_update',
        message_template_language: 'en_US',
      };
    case 'phone_number_quality_update':
      return { display_phone_number: number.digits, event: 'FLAGGED', current_limit: 'TIER_1K' };
    case 'phone_number_name_update':
      return { display_phone_number: number.digits, decision: 'APPROVED', requested_verified_name: number.name };
    case 'account_update':
      return { phone_number: number.digits, event: 'VERIFIED_ACCOUNT' };
    case 'account_review_update':
      return { decision: 'APPROVED' };
    case 'user_preferences':
      return { ...metadata(number), contacts: [], user_preferences: [preference(world)] };
    default:
      return {};
  }
}

function preference(world: World): Record<string, unknown> {
  return {
    wa_id: '15550000001',
    detail: 'User requested to stop marketing messages',
    category: 'marketing_messages',
    value: 'stop',
    timestamp: secondsOf(world.clock.now()),
  };
}

function connectionChange(number: SimNumber, cause: 'open' | 'ban' | 'disconnect' | 'qr'): AccountChange {
  const events = {
    open: 'ACCOUNT_RECONNECTED',
    ban: 'DISABLED_UPDATE',
    disconnect: 'ACCOUNT_OFFBOARDED',
    qr: 'PARTNER_ADDED',
  };
  const ban = cause === 'ban' ? { ban_info: { waba_ban_state: 'DISABLE', waba_ban_date: 'TODAY' } } : {};
  return { name: 'account_update', value: { phone_number: number.digits, event: events[cause], ...ban } };
}
