import { createHash } from 'node:crypto';
import type { InboundEvent } from '@switchyard/contract';
import type { Normalised, NormaliseInput } from '../channel.ts';
import { readPart, refusedPart } from '../reading/index.ts';
import { bindingsOf } from './address.ts';
import { inboundMessage } from './inbound.ts';
import { type Parameters, parseParameters } from './parameters.ts';
import { statusEvent } from './status.ts';

/** One request of Twilio is one message or one status. Fields: Twilio, "Our request to your webhook URL". */
export function normaliseTwilio(input: NormaliseInput): Normalised {
  const parameters = parseParameters(input);
  if (!parameters.ok) return refusedPart('', parameters.refusal);
  return readPart({ value: null, path: '' }, () => [eventOf(parameters.value, input)]);
}

function eventOf(parameters: Parameters, input: NormaliseInput): InboundEvent {
  const sid = parameters.read('MessageSid') ?? parameters.read('SmsMessageSid') ?? parameters.read('SmsSid');
  if (sid === undefined) return unsupported(parameters, input, 'no MessageSid');
  const status = statusOf(parameters);
  if (status !== undefined) return statusEvent(sid, status, parameters, input.target);
  if (parameters.read('From') === undefined && parameters.read('ExternalUserId') === undefined) {
    return unsupported(parameters, input, 'neither a status nor a message with an author');
  }
  return inboundMessage(sid, parameters);
}

/** Inbound messages carry `SmsStatus=received` (older ones `receiving`); every other status is a callback. */
function statusOf(parameters: Parameters): string | undefined {
  const status = parameters.read('MessageStatus') ?? parameters.read('SmsStatus');
  return status === undefined || ['received', 'receiving'].includes(status.toLowerCase()) ? undefined : status;
}

/** Calls, conversations and whatever else may be pointed at this URL. The whole request is its own key. */
function unsupported(parameters: Parameters, input: NormaliseInput, reason: string): InboundEvent {
  const digest = createHash('sha256').update(input.target).update('\n').update(input.body).digest('hex');
  const type = parameters.read('EventType') ?? (parameters.read('CallSid') ? 'call' : 'unknown');
  const bindings = bindingsOf(parameters, 'To').filter(({ kind }) => kind === 'twilio_account');
  return { kind: 'unsupported', type, key: `unsupported:${digest}`, occurredAt: null, bindings, path: '', reason };
}
