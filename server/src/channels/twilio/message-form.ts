/** Our content as the form that Twilio's Messages resource takes. Pure. */

import type { Failure, OutboundContent } from '@switchyard/contract';
import { done, type Result, refused } from '#kernel';
import type { SendingAccount, SendRequest } from '../channel.ts';
import { numberedText } from '../numbered/index.ts';
import { senderAddress } from './address.ts';
import { twilioCapabilities } from './capabilities.ts';
import { attemptParameter } from './status.ts';

type Fields = readonly (readonly [name: string, value: string])[];

/** Refuses, before anything is sent, what Twilio cannot carry. */
export function messageForm(account: SendingAccount, request: SendRequest): Result<string, Failure> {
  const to = recipientOf(request.to);
  if (!to) return refused(failure('address-unusable', 'the customer has no phone and no WhatsApp id'));
  const sender = senderOf(account);
  if (!sender.ok) return sender;
  const content = contentFields(request.content);
  if (!content.ok) return content;
  const callback: Fields = request.statusCallbackUrl
    ? [['StatusCallback', withAttempt(request.statusCallbackUrl, request.attemptId)]]
    : [];
  const form = new URLSearchParams({ To: to });
  for (const [name, value] of [sender.value, ...content.value, ...callback]) form.append(name, value);
  return done(form.toString());
}

function recipientOf(addresses: SendRequest['to']): string | undefined {
  for (const kind of ['phone', 'wa_id', 'bsuid']) {
    const value = addresses.find((address) => address.kind === kind)?.value.replace(/^whatsapp:/, '');
    if (value) return `whatsapp:${kind === 'wa_id' && !value.startsWith('+') ? '+' : ''}${value}`;
  }
  return undefined;
}

function senderOf(account: SendingAccount): Result<readonly [string, string], Failure> {
  const { messagingServiceSid, sender } = account.settings;
  if (messagingServiceSid) return done(['MessagingServiceSid', messagingServiceSid]);
  if (sender) return done(['From', senderAddress(sender)]);
  return refused(failure('account-incomplete', 'neither sender nor messagingServiceSid is set'));
}

function contentFields(content: OutboundContent): Result<Fields, Failure> {
  switch (content.type) {
    case 'text':
      return done([['Body', content.text]]);
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return mediaFields(content);
    case 'location':
      return done(locationFields(content));
    case 'buttons':
    case 'list':
      return menuFields(numberedText(content));
    case 'template':
      return templateFields(content);
    case 'contacts':
    case 'reaction':
      return refused(failure('content-unsupported', `this provider takes no ${content.type}`));
    default: {
      const never: never = content;
      return never;
    }
  }
}

/** Numbers and titles make the text longer than it was when it was checked. */
function menuFields(text: string): Result<Fields, Failure> {
  const { maxTextLength } = twilioCapabilities;
  if (text.length <= maxTextLength) return done([['Body', text]]);
  return refused(failure('content-over-limit', `the menu as text is over ${maxTextLength} characters`));
}

type Media = Extract<OutboundContent, { readonly media: unknown }>;

/** Twilio fetches the file itself, and carries one a WhatsApp message. */
function mediaFields(content: Media): Result<Fields, Failure> {
  if ((content.more?.length ?? 0) > 1)
    return refused(failure('content-over-limit', 'Twilio carries one file a WhatsApp message'));
  if (!content.media.url) return refused(failure('media-without-address', 'Twilio takes files by URL only'));
  const caption: Fields = content.caption ? [['Body', content.caption]] : [];
  return done([['MediaUrl', content.media.url], ...caption]);
}

type Location = Extract<OutboundContent, { type: 'location' }>;

/** Twilio, "Send location messages with WhatsApp": the place in `PersistentAction`, a `Body` beside it is required. */
function locationFields({ latitude, longitude, name, address }: Location): Fields {
  const label = address ?? name;
  const action = `geo:${latitude},${longitude}${label ? `|${label}` : ''}`;
  return [
    ['Body', name ?? address ?? `${latitude}, ${longitude}`],
    ['PersistentAction', action],
  ];
}

type Template = Extract<OutboundContent, { type: 'template' }>;

/** The content template's sid is its name here; its language is part of it. Variables are named `1`, `2`, … */
function templateFields({ name, parameters }: Template): Result<Fields, Failure> {
  if (!name.startsWith('HX')) return refused(failure('template-unknown', 'a Twilio template is named by its HX sid'));
  if (parameters.length === 0) return done([['ContentSid', name]]);
  const variables = Object.fromEntries(parameters.map((value, at) => [String(at + 1), value]));
  return done([
    ['ContentSid', name],
    ['ContentVariables', JSON.stringify(variables)],
  ]);
}

/** The callback carries the attempt in its signed query, unless whoever made the URL has put it there already. */
function withAttempt(url: string, attemptId: string): string {
  const parsed = URL.parse(url);
  if (!parsed || parsed.searchParams.has(attemptParameter)) return url;
  parsed.searchParams.set(attemptParameter, attemptId);
  return parsed.toString();
}

function failure(code: string, detail: string): Failure {
  return { code, detail, retry: { kind: 'never' }, isCertain: true };
}
