import type { MessageEvent } from '@switchyard/contract';
import { present } from '../reading/index.ts';
import { authorOf, bindingsOf } from './address.ts';
import { contentOf, referralOf } from './content.ts';
import type { Parameters } from './parameters.ts';

/** A message from a customer. Twilio sends no time, so `occurredAt` is null; the sid is the key. */
export function inboundMessage(sid: string, parameters: Parameters): MessageEvent {
  const content = contentOf(parameters);
  return present({
    kind: 'message',
    type: content.type,
    key: sid,
    providerMessageId: sid,
    direction: 'in',
    occurredAt: null,
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

function isForwarded(parameters: Parameters): boolean {
  return ['Forwarded', 'FrequentlyForwarded'].some((name) => parameters.read(name)?.toLowerCase() === 'true');
}
