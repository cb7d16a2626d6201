/**
 * What Evolution appends to a webhook's URL when its webhook is set `byEvents` (server 1.3 to 2.3, webhook controller):
 * the event's name, lower case, dots and underscores as dashes.
 */
const events: ReadonlySet<string> = new Set([
  'application-startup',
  'call',
  'chats-delete',
  'chats-set',
  'chats-update',
  'chats-upsert',
  'connection-update',
  'contacts-set',
  'contacts-update',
  'contacts-upsert',
  'creds-update',
  'errors',
  'group-participants-update',
  'group-update',
  'groups-update',
  'groups-upsert',
  'instance-create',
  'instance-delete',
  'labels-association',
  'labels-edit',
  'logout-instance',
  'messages-delete',
  'messages-edited',
  'messages-set',
  'messages-update',
  'messages-upsert',
  'messaging-history-set',
  'new-jwt-token',
  'presence-update',
  'qrcode-updated',
  'remove-instance',
  'send-message',
  'send-message-update',
  'status-instance',
  'typebot-change-status',
  'typebot-start',
]);

export function isEvolutionEvent(suffix: string): boolean {
  return events.has(suffix);
}
