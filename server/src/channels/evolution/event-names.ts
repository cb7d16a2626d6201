/**
 * Every event that Evolution's servers send (its event enum, 1.3 to 2.3). Group changes were renamed on the way, so both
 * of their names stand here.
 */
const names = [
  'application.startup',
  'qrcode.updated',
  'connection.update',
  'status.instance',
  'instance.create',
  'instance.delete',
  'logout.instance',
  'remove.instance',
  'messages.set',
  'messages.upsert',
  'messages.edited',
  'messages.update',
  'messages.delete',
  'send.message',
  'send.message.update',
  'contacts.set',
  'contacts.upsert',
  'contacts.update',
  'presence.update',
  'chats.set',
  'chats.upsert',
  'chats.update',
  'chats.delete',
  'groups.upsert',
  'groups.update',
  'group.update',
  'group-participants.update',
  'labels.edit',
  'labels.association',
  'call',
  'typebot.start',
  'typebot.change-status',
  'error',
] as const;
export type EvolutionEvent = (typeof names)[number];

/** By the name in capitals and underscores: `messages.upsert`, `messages-upsert` and `MESSAGES_UPSERT` are one event. */
const eventByPlainName: ReadonlyMap<string, EvolutionEvent> = new Map(names.map((name) => [plainName(name), name]));

/** Undefined for a name that we do not know. */
export function parseEventName(text: string): EvolutionEvent | undefined {
  return eventByPlainName.get(plainName(text));
}

function plainName(text: string): string {
  return text.trim().replace(/[.-]/g, '_').toUpperCase();
}
