/** Evolution's webhooks, v1 and v2 alike: the differences are few, and servers mix them. */
import type { InboundEvent } from '@switchyard/contract';
import type { Normalised, NormaliseInput } from '../channel.ts';
import { fingerprint, isArray, itemsOf, type Part, readBody, readEach } from '../reading/index.ts';
import { accountEvent, accountTypes } from './account-events.ts';
import { dataParts, type Envelope, readEnvelope } from './envelope.ts';
import type { EvolutionEvent } from './event-names.ts';
import { deletedMessage, editedMessage, importedMessages, updatedMessage, upsertedMessages } from './messages.ts';

type Reader = (part: Part, envelope: Envelope) => readonly InboundEvent[] | Normalised;

const messageReaders: Readonly<Partial<Record<EvolutionEvent, Reader>>> = {
  'messages.upsert': upsertedMessages,
  'send.message': upsertedMessages,
  'send.message.update': upsertedMessages,
  'messages.set': importedMessages,
  'messages.update': updatedMessage,
  'messages.delete': deletedMessage,
  'messages.edited': editedMessage,
};

export function normaliseEvolution(input: NormaliseInput): Normalised {
  return readBody(input.body, ({ value, path }) =>
    readEach(isArray(value) ? itemsOf(value, path) : [{ value, path }], (part) => readOne(part, input)),
  );
}

function readOne(part: Part, input: NormaliseInput): Normalised {
  const envelope = readEnvelope(part, input.target);
  const reader = readerOf(envelope);
  return readEach(dataParts(envelope.data), (item) => reader(item, envelope));
}

function readerOf({ event }: Envelope): Reader {
  const type = event && accountTypes[event];
  if (type) return (item, envelope) => [accountEvent(item, envelope, type)];
  return (event && messageReaders[event]) ?? ((item, envelope) => [unknownEvent(item, envelope)]);
}

function unknownEvent(item: Part, envelope: Envelope): InboundEvent {
  return {
    kind: 'unsupported',
    type: envelope.name,
    key: [envelope.name, ...(envelope.dateTime ? [envelope.dateTime] : []), fingerprint(item.value)].join(':'),
    occurredAt: null,
    bindings: envelope.bindings,
    path: item.path,
    reason: envelope.name === 'unknown' ? 'the body names no event' : 'not an event that we know',
  };
}
