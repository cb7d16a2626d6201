/** `POST /2010-04-01/Accounts/{Sid}/Messages.json` (providers.md 3.6). */
import type { Dialect, Work } from '../faults/door.ts';
import { jsonReply } from '../http/exchange.ts';
import { type Customer, strangerOf } from '../world/customer.ts';
import type { SimNumber } from '../world/number.ts';
import { isFields, jsonOf } from '../world/read.ts';
import { mediaScreen, type ScreenContent } from '../world/screen.ts';
import { isWindowOpen, takeSendPermit } from '../world/window.ts';
import type { World } from '../world/world.ts';
import { accountSidOf, addressOf, sid } from './addresses.ts';
import { contentScreen, type TwilioContents } from './content-store.ts';
import { presentMessage, type TwilioMessage, type TwilioMessages } from './message-store.ts';
import { twilioError } from './twilio-errors.ts';

const BODY_LIMIT = 1_600;
const MEDIA_LIMIT = 10;

export interface TwilioStores {
  readonly messages: TwilioMessages;
  readonly contents: TwilioContents;
}

export function twilioDialect(world: World): Dialect {
  return {
    defaultErrorCode: '30008',
    error: twilioError,
    rateLimited: () => twilioError('20429'),
    serverError: (status) => ({ ...twilioError('20500'), status }),
    withWrongId: (reply) => ({
      ...reply,
      body: String(reply.body).replace(/[SM]M[0-9a-f]{32}/g, sid(world.random, 'SM')),
    }),
  };
}

interface Accepted {
  readonly customer: Customer;
  readonly screen: ScreenContent;
  readonly callbackUrl: string | null;
  readonly mediaCount: number;
  readonly isTemplate: boolean;
}

export function sendTwilio(
  world: World,
  number: SimNumber,
  form: URLSearchParams,
  stores: TwilioStores,
  raw: Buffer,
  fault: string | null,
): Work {
  const checked = checkForm(number, form, stores.contents);
  if (typeof checked === 'string') return refuse(world, number, checked, form, raw, fault);
  const nowMs = world.clock.now();
  if (number.connection !== 'open') return refuse(world, number, '30002', form, raw, fault);
  if (takeSendPermit(number, checked.customer.key, nowMs)) return refuse(world, number, '20429', form, raw, fault);
  const isOutside = !checked.isTemplate && !isWindowOpen(number, checked.customer.key, nowMs);
  return accept(world, number, form, checked, stores, raw, fault, isOutside ? '63016' : null);
}

/** The error code, or what was asked for. */
function checkForm(number: SimNumber, form: URLSearchParams, contents: TwilioContents): Accepted | string {
  const to = form.get('To');
  if (!to) return '21604';
  if (!form.get('From') && !form.get('MessagingServiceSid')) return '21603';
  const from = form.get('From') ?? addressOf(number);
  if (from.startsWith('whatsapp:') !== to.startsWith('whatsapp:')) return '21910';
  if (from === to) return '63031';
  const customer = recipientOf(to);
  if (!customer) return '21211';
  const screen = screenOf(form, contents);
  if (typeof screen === 'string') return screen;
  const callback = form.get('StatusCallback');
  if (callback !== null && !/^https?:\/\/./.test(callback)) return '21609';
  return {
    customer,
    screen,
    callbackUrl: callback,
    mediaCount: form.getAll('MediaUrl').length,
    isTemplate: screen.type === 'template' && form.has('ContentSid'),
  };
}

function recipientOf(to: string): Customer | null {
  const address = to.replace(/^whatsapp:/, '');
  if (/^\+[1-9]\d{5,14}$/.test(address)) return strangerOf(address, 'phone');
  return /^[A-Z]{2}\.[A-Za-z0-9.]+$/.test(address) ? strangerOf(address, 'bsuid') : null;
}

function screenOf(form: URLSearchParams, contents: TwilioContents): ScreenContent | string {
  const contentSid = form.get('ContentSid');
  if (contentSid !== null) return contentSendScreen(contentSid, form.get('ContentVariables'), contents);
  const body = form.get('Body') ?? '';
  const media = form.getAll('MediaUrl');
  if (body === '' && media.length === 0) return '21602';
  if (body.length > BODY_LIMIT) return '21617';
  if (media.length > MEDIA_LIMIT) return '21623';
  if (media.some((url) => !/^https?:\/\/./.test(url))) return '21620';
  return media.length === 0 ? { type: 'text', text: body } : mediaScreen('image', media[0], body || undefined);
}

function contentSendScreen(
  contentSid: string,
  variables: string | null,
  contents: TwilioContents,
): ScreenContent | string {
  if (!/^HX[0-9a-fA-F]{32}$/.test(contentSid)) return '21655';
  const values = variables === null ? {} : jsonOf(variables);
  if (!isFields(values)) return '21656';
  return contentScreen(contents.get(contentSid), contentSid, values);
}

function refuse(
  world: World,
  number: SimNumber,
  code: string,
  form: URLSearchParams,
  raw: Buffer,
  fault: string | null,
): Work {
  const reply = twilioError(code);
  world.ledger.add(
    world.clock.now(),
    {
      kind: 'refusal',
      provider: 'twilio',
      number: number.number,
      status: reply.status,
      code,
      customer: (form.get('To') ?? '').replace(/\D/g, ''),
      ...(fault ? { fault } : {}),
    },
    raw,
  );
  return { reply };
}

function accept(
  world: World,
  number: SimNumber,
  form: URLSearchParams,
  accepted: Accepted,
  stores: TwilioStores,
  raw: Buffer,
  fault: string | null,
  failure: string | null,
): Work {
  const atMs = world.clock.now();
  const { customer, screen, callbackUrl, mediaCount } = accepted;
  const message: TwilioMessage = {
    sid: sid(world.random, mediaCount > 0 ? 'MM' : 'SM'),
    accountSid: accountSidOf(number),
    direction: 'outbound-api',
    from: form.get('From') ?? addressOf(number),
    to: form.get('To') ?? '',
    body: form.get('Body') ?? screen.text ?? '',
    createdMs: atMs,
    updatedMs: atMs,
    serviceSid: form.get('MessagingServiceSid'),
    media: [],
    mediaCount,
    status: form.has('MessagingServiceSid') ? 'accepted' : 'queued',
    errorCode: null,
  };
  stores.messages.add(message);
  world.ledger.add(
    atMs,
    {
      kind: 'send',
      provider: 'twilio',
      number: number.number,
      customer: customer.key,
      messageId: message.sid,
      what: screen.type,
      status: 201,
      ...(screen.text === undefined ? {} : { text: screen.text }),
      ...(callbackUrl ? { correlation: callbackUrl } : {}),
      ...(fault ? { fault } : {}),
    },
    raw,
  );
  world.threads.add(number.key, customer, {
    id: message.sid,
    direction: 'out',
    atMs,
    content: screen,
    tick: 'waiting',
  });
  const sent = {
    number,
    customer,
    messageId: message.sid,
    type: screen.type,
    atMs,
    ...(callbackUrl ? { callbackUrl } : {}),
  };
  return { reply: jsonReply(201, presentMessage(message)), sent, ...(failure ? { failure } : {}) };
}
