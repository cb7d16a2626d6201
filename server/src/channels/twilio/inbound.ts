import type { MessageEvent } from '@switchyard/contract';
import { present } from '../reading/index.ts';
import { authorOf, bindingsOf } from './address.ts';
import { contentOf, referralOf } from './content.ts';
import type { Parameters } from './parameters.ts';

/**
 * A message from a customer; the sid is the key. A webhook of Twilio brings no time, so `occurredAt` is null; its message
 * list does, and we put it there under the list's own name.
 */
export function inboundMessage(sid: string, parameters: Parameters): MessageEvent {
  const content = contentOf(parameters);
  return present({
    kind: 'message',
    type: content.type,
    key: sid,
    providerMessageId: sid,
    direction: 'in',
    occurredAt: instantOf(parameters.read(listedAtParameter)),
    bindings: bindingsOf(parameters, 'To'),
    path: '',
    customer: authorOf(parameters),
    profileName: parameters.read('ProfileName'),
    content,
    replyTo: parameters.read('OriginalRepliedMessageSid'),
    isForwarded: isForwarded(parameters) || undefined,
    referral: referralOf(parameters),
  });
}

/** Of a message out of the list; no webhook of Twilio has a parameter of this name. */
export const listedAtParameter = 'DateCreated';

export function instantOf(date: string | undefined): string | null {
  const atMs = Date.parse(date ?? '');
  return Number.isNaN(atMs) ? null : new Date(atMs).toISOString();
}

function isForwarded(parameters: Parameters): boolean {
  return ['Forwarded', 'FrequentlyForwarded'].some((name) => parameters.read(name)?.toLowerCase() === 'true');
}
