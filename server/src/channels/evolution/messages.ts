/** Messages, and what becomes of them. Source: Evolution's Baileys channel service, 1.3 to 2.3. */
import type { InboundEvent } from '@switchyard/contract';
import { deletionOf, keyParts, messageEventOf, type Origin, protocolEditOf, updateEventOf } from '../baileys/index.ts';
import type { Normalised } from '../channel.ts';
import { objectAt, type Part, readItems, textAt, valueAt } from '../reading/index.ts';
import type { Envelope } from './envelope.ts';

/** `messages.upsert` and `send.message`. */
export function upsertedMessages(part: Part, envelope: Envelope): Normalised {
  // Baileys' own form, which some servers and queues pass on: `append` is what was said while we were away.
  if (valueAt(part.value, 'messages') === undefined) return upsertedMessage(part, originOf(part, envelope));
  const isHistory = textAt(part.value, 'type') === 'append';
  return readItems(part, 'messages', (item) => upsertedMessage(item, { ...originOf(item, envelope), isHistory }));
}

/** `messages.set`: the import after a new connection. */
export function importedMessages(part: Part, envelope: Envelope): Normalised {
  const read = (item: Part) => upsertedMessage(item, { ...originOf(item, envelope), isHistory: true });
  return valueAt(part.value, 'messages') === undefined ? read(part) : readItems(part, 'messages', read);
}

function upsertedMessage(part: Part, origin: Origin): Normalised {
  return { events: [messageEventOf(part.value, origin)], unreadable: [] };
}

/** `messages.update`. */
export function updatedMessage(part: Part, envelope: Envelope): readonly InboundEvent[] {
  return [updateEventOf(part.value, originOf(part, envelope))];
}

/** `messages.delete`. */
export function deletedMessage(part: Part, envelope: Envelope): readonly InboundEvent[] {
  return [deletionOf(part.value, originOf(part, envelope))];
}

/** `messages.edited`: the protocol message that carries the new content. */
export function editedMessage(part: Part, envelope: Envelope): readonly InboundEvent[] {
  const protocol = objectAt(part.value, 'protocolMessage') ?? objectAt(part.value);
  return [protocolEditOf(protocol, originOf(part, envelope))];
}

/** A message's key begins with the instance, where one is named; a receipt's is the id and the status. */
function originOf(part: Part, envelope: Envelope): Origin {
  const instance = envelope.instance === '' ? [] : [envelope.instance];
  return {
    path: part.path,
    bindings: envelope.bindings,
    keyOf: (key) => [...instance, ...keyParts(key)].join(':'),
    receiptKeyOf: (id, name) => `${id}:${name}`,
  };
}
