/** Twilio: signed forms, one message or one status each (providers.md 3.2, 3.3). */
import type { Posting } from '../posting/posting.ts';
import { signTwilio } from '../posting/sign.ts';
import { isMediaKind } from '../world/content.ts';
import type { Customer } from '../world/customer.ts';
import type { StoredFile } from '../world/media.ts';
import type { SimNumber } from '../world/number.ts';
import type { Inbound, ReceiptStatus, SentMessage, Stand } from '../world/stand.ts';
import type { World } from '../world/world.ts';
import { accountSidOf, addressOf, sid } from './addresses.ts';
import type { TwilioMessages } from './message-store.ts';
import { answerTwiml } from './twiml.ts';

const FORM = 'application/x-www-form-urlencoded; charset=UTF-8';

export function createTwilioStand(messages: TwilioMessages): Stand {
  return {
    messageId: (world, _number, isMedia) => sid(world.random, isMedia ? 'MM' : 'SM'),
    inbound: (world, number, inbound) => postInbound(world, number, inbound, messages),
    receipt: (world, sent, status, errorCode) => postStatus(world, sent, status, errorCode, messages),
    // Twilio posts no events of the account to a message webhook.
    account: () => null,
    connection: () => [],
  };
}

function customerAddress(customer: Customer): string {
  return customer.phone ? `whatsapp:+${customer.phone}` : `whatsapp:${customer.bsuid ?? customer.key}`;
}

function postInbound(world: World, number: SimNumber, inbound: Inbound, messages: TwilioMessages): Posting | null {
  const url = number.webhook.url;
  const particulars = particularsOf(world, number, inbound);
  if (!particulars) return null;
  const { parameters, files, type } = particulars;
  const form = new URLSearchParams({
    ...parameters,
    ...customerParameters(inbound.customer),
    ...contextParameters(number, inbound),
    MessageType: type,
    SmsMessageSid: inbound.id,
    SmsSid: inbound.id,
    MessageSid: inbound.id,
    SmsStatus: 'received',
    NumMedia: String(files.length),
    NumSegments: '1',
    ReferralNumMedia: '0',
    AccountSid: accountSidOf(number),
    From: customerAddress(inbound.customer),
    To: addressOf(number),
    ApiVersion: '2010-04-01',
  });
  const body = form.get('Body') ?? '';
  messages.add({
    sid: inbound.id,
    accountSid: accountSidOf(number),
    direction: 'inbound',
    from: customerAddress(inbound.customer),
    to: addressOf(number),
    body,
    createdMs: inbound.atMs,
    updatedMs: inbound.atMs,
    serviceSid: null,
    media: files,
    mediaCount: files.length,
    status: 'received',
    errorCode: null,
  });
  if (!url) return null;
  const posting = formPosting(world, number, url, form);
  return {
    ...posting,
    operation: 'message',
    what: inbound.content.type,
    customer: inbound.customer.key,
    messageId: inbound.id,
    settled: (answer) => answerTwiml(world, number, inbound.customer, answer, messages),
  };
}

/**
 * Signed once; the fragment of the URL (connection overrides) is neither signed nor sent. The idempotency token is the
 * same on every retry.
 */
function formPosting(world: World, number: SimNumber, url: string, form: URLSearchParams) {
  const token = number.secrets.authToken;
  const idempotency = world.random.hex(32).toLowerCase();
  const signature = token ? { 'x-twilio-signature': signTwilio(token, url, form) } : {};
  return {
    number,
    url,
    contentType: FORM,
    body: Buffer.from(form.toString()),
    headers: () => ({
      'user-agent': 'TwilioProxy/1.1',
      accept: '*/*',
      'i-twilio-idempotency-token': idempotency,
      ...signature,
    }),
  };
}

interface Particulars {
  readonly parameters: Record<string, string>;
  readonly files: readonly StoredFile[];
  readonly type: string;
}

/** Null for what Twilio does not pass on. */
function particularsOf(world: World, number: SimNumber, inbound: Inbound): Particulars | null {
  const { content } = inbound;
  if (isMediaKind(content.type) && 'media' in content) {
    const file = world.media.putFor(content.type, content.media);
    const caption = 'caption' in content ? content.caption : undefined;
    const url = content.media.url ?? mediaUrl(world, number, inbound.id, file);
    return {
      type: content.type,
      files: [file],
      parameters: { Body: caption ?? '', MediaUrl0: url, MediaContentType0: file.mimeType.split(';')[0] ?? '' },
    };
  }
  switch (content.type) {
    case 'text':
      return { type: 'text', files: [], parameters: { Body: content.text } };
    case 'location':
      return { type: 'location', files: [], parameters: locationParameters(content) };
    case 'button_reply': {
      const { id, title } = content.choice;
      const type = content.isTemplateButton ? 'button' : 'interactive';
      return { type, files: [], parameters: { Body: title, ButtonText: title, ButtonPayload: id } };
    }
    case 'list_reply': {
      const { id, title, description } = content.choice;
      const described = description ? { ListDescription: description } : {};
      return {
        type: 'interactive',
        files: [],
        parameters: { Body: title, ListId: id, ListTitle: title, ...described },
      };
    }
    case 'contacts': {
      const card = content.contacts.map((each) => vcardOf(each.name, each.phones)).join('\n');
      const file = world.media.put(Buffer.from(card), 'text/vcard', 'contact.vcf');
      const url = mediaUrl(world, number, inbound.id, file);
      return {
        type: 'contacts',
        files: [file],
        parameters: { Body: '', MediaUrl0: url, MediaContentType0: 'text/vcard' },
      };
    }
    default:
      return null;
  }
}

function locationParameters(content: {
  readonly latitude: number;
  readonly longitude: number;
  readonly name?: string;
  readonly address?: string;
}): Record<string, string> {
  return {
    Body: '',
    Latitude: String(content.latitude),
    Longitude: String(content.longitude),
    ...(content.name ? { Label: content.name } : {}),
    ...(content.address ? { Address: content.address } : {}),
  };
}

function vcardOf(name: string, phones: readonly string[]): string {
  const lines = phones.map((phone) => `TEL;type=CELL:${phone}`);
  return ['BEGIN:VCARD', 'VERSION:3.0', `N:;${name};;;`, `FN:${name}`, ...lines, 'END:VCARD'].join('\r\n');
}

function mediaUrl(world: World, number: SimNumber, messageSid: string, file: StoredFile): string {
  return `${world.urls.twilio}/2010-04-01/Accounts/${accountSidOf(number)}/Messages/${messageSid}/Media/ME${file.id}`;
}

function customerParameters(customer: Customer): Record<string, string> {
  return {
    ProfileName: customer.name,
    ...(customer.phone ? { WaId: customer.phone } : {}),
    ...(customer.bsuid ? { ExternalUserId: `whatsapp:${customer.bsuid}` } : {}),
  };
}

function contextParameters(number: SimNumber, inbound: Inbound): Record<string, string> {
  const replied = inbound.replyTo
    ? { OriginalRepliedMessageSid: inbound.replyTo, OriginalRepliedMessageSender: addressOf(number) }
    : {};
  const forwarded = inbound.isForwarded ? { Forwarded: 'true', FrequentlyForwarded: 'false' } : {};
  return { ...replied, ...forwarded, ...referralParameters(inbound) };
}

function referralParameters(inbound: Inbound): Record<string, string> {
  if (!inbound.referral) return {};
  const names: Readonly<Record<string, string>> = {
    ctwa_clid: 'ReferralCtwaClid',
    source_id: 'ReferralSourceId',
    source_type: 'ReferralSourceType',
    source_url: 'ReferralSourceUrl',
    headline: 'ReferralHeadline',
    body: 'ReferralBody',
  };
  const parameters: Record<string, string> = {};
  for (const [field, name] of Object.entries(names)) {
    const value = inbound.referral[field];
    if (typeof value === 'string') parameters[name] = value;
  }
  return parameters;
}

function postStatus(
  world: World,
  sent: SentMessage,
  status: ReceiptStatus,
  errorCode: string | null,
  messages: TwilioMessages,
): Posting | null {
  const word = status === 'failed' && errorCode === '63016' ? 'undelivered' : status;
  if (word === 'played' || word === 'deleted') return null;
  messages.move(sent.messageId, word, errorCode, world.clock.now());
  if (!sent.callbackUrl) return null;
  const form = new URLSearchParams({
    ChannelPrefix: 'whatsapp',
    ApiVersion: '2010-04-01',
    MessageStatus: word,
    SmsStatus: word,
    SmsSid: sent.messageId,
    MessageSid: sent.messageId,
    ChannelInstallSid: `XE${accountSidOf(sent.number).slice(2)}`,
    ChannelToAddress: sent.customer.phone ? `+${sent.customer.phone}` : sent.customer.key,
    StructuredMessage: 'false',
    From: addressOf(sent.number),
    To: customerAddress(sent.customer),
    AccountSid: accountSidOf(sent.number),
    ...(word === 'read' ? { EventType: 'READ' } : {}),
    ...(word === 'delivered' ? { EventType: 'DELIVERED' } : {}),
    ...(errorCode === null ? {} : { ErrorCode: errorCode, ChannelStatusMessage: 'The message failed' }),
  });
  return {
    ...formPosting(world, sent.number, sent.callbackUrl, form),
    operation: 'receipt',
    what: word,
    customer: sent.customer.key,
    messageId: sent.messageId,
  };
}
