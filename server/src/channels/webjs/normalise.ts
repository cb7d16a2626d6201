/** Webhooks of the web companion: our own form, WAHA's, and raw Baileys objects, each told by its shape. */
import type { AccountEventType, InboundEvent } from '@switchyard/contract';
import type { Normalised, NormaliseInput } from '../channel.ts';
import { fingerprint, isObject, type Part, readBody, readPart } from '../reading/index.ts';
import { accountEvent, sessionQrOf, sessionStatusOf } from './account-events.ts';
import { readBaileysObject } from './baileys-objects.ts';
import { type Envelope, keyOf, readEnvelope } from './envelope.ts';
import { acknowledgementEventOf, editOf, messageOf, reactionOf, revocationOf } from './messages.ts';

type Reader = (part: Part, envelope: Envelope) => InboundEvent;

/** Events of the companion and of WAHA (its documents, "Events"). */
const readers: Readonly<Record<string, Reader>> = {
  message: messageOf,
  'message.any': messageOf,
  'message.reaction': reactionOf,
  'message.edited': editOf,
  'message.revoked': revocationOf,
  'message.ack': acknowledgementEventOf,
  'message.ack.group': acknowledgementEventOf,
  'session.status': sessionStatusOf,
  'session.qr': sessionQrOf,
};

/** WAHA's news that is kept but moves no message. */
const accountTypes: readonly (readonly [prefix: string, type: AccountEventType])[] = [
  ['call.', 'call'],
  ['presence.', 'account'],
  ['group.', 'account'],
  ['chat.', 'account'],
  ['label.', 'account'],
  ['state.', 'account'],
  ['engine.', 'account'],
];

export function normaliseWebjs(input: NormaliseInput): Normalised {
  return readBody(input.body, (whole) => readPart(whole, readOne));
}

function readOne(part: Part): Normalised {
  const envelope = readEnvelope(part);
  const reader = readerOf(envelope.event);
  if (reader && isObject(envelope.payload.value)) {
    return readPart(envelope.payload, (payload) => [reader(payload, envelope)]);
  }
  return readBaileysObject(envelope.payload, envelope) ?? { events: [unknown(envelope)], unreadable: [] };
}

function readerOf(event: string): Reader | undefined {
  if (Object.hasOwn(readers, event)) return readers[event];
  const type = accountTypes.find(([prefix]) => event.startsWith(prefix))?.[1];
  return type && ((part, envelope) => accountEvent(part, envelope, type));
}

function unknown(envelope: Envelope): InboundEvent {
  const { event, payload } = envelope;
  return {
    kind: 'unsupported',
    type: event || 'unknown',
    key: keyOf(envelope, event || 'unknown', envelope.id ?? fingerprint(payload.value)),
    occurredAt: envelope.occurredAt,
    bindings: envelope.bindings,
    path: payload.path,
    reason: event === '' ? 'the body names no event' : 'not an event that we know',
  };
}
