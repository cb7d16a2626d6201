import type { ProviderError, StatusEvent, StatusType } from '@switchyard/contract';
import { present } from '../reading/index.ts';
import { bindingsOf, identitiesOf } from './address.ts';
import { twilioErrors } from './errors.ts';
import { parseQuery } from './form.ts';
import type { Parameters } from './parameters.ts';

/** Name of the query parameter of our status-callback URL that carries our attempt id back. */
export const attemptParameter = 'attempt';

/** Twilio's message statuses. A cancelled message was scheduled and will never be sent. */
const statusTypes: Readonly<Record<string, StatusType>> = {
  accepted: 'accepted',
  scheduled: 'accepted',
  queued: 'accepted',
  sending: 'accepted',
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  undelivered: 'failed',
  failed: 'failed',
  canceled: 'failed',
};

/** A status callback; comes twice and out of order at times. `From` is our own number here. */
export function statusEvent(sid: string, status: string, parameters: Parameters, target: string): StatusEvent {
  const name = status.toLowerCase();
  const errorCode = parameters.read('ErrorCode');
  return present({
    kind: 'status',
    type: statusTypes[name] ?? 'unknown',
    key: [sid, status, ...(errorCode ? [errorCode] : [])].join(':'),
    providerMessageId: sid,
    occurredAt: null,
    bindings: bindingsOf(parameters, 'From'),
    path: '',
    customer: identitiesOf(parameters.read('To')),
    attemptId: attemptOf(target),
    errors: errorsOf(errorCode, name, parameters),
  });
}

function attemptOf(target: string): string | undefined {
  return parseQuery(target)?.find(([name]) => name === attemptParameter)?.[1] || undefined;
}

function errorsOf(code: string | undefined, status: string, parameters: Parameters): readonly ProviderError[] {
  if (status === 'canceled' && !code) return [{ code: 'canceled', title: 'the scheduled message was cancelled' }];
  if (!code) return [];
  const title = twilioErrors.get(code)?.title ?? `Twilio error ${code}`;
  const detail = parameters.read('ErrorMessage') ?? parameters.read('ChannelStatusMessage');
  return [present({ code, title, detail })];
}
