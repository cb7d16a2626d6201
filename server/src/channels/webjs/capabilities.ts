import type { AccountFields, Capabilities } from '../channel.ts';
import { gateFields } from '../gate-fields.ts';

/** The companion drives WhatsApp's own web client; these are that client's limits. */
export const webjsCapabilities: Capabilities = {
  sends: [
    'text',
    'image',
    'video',
    'audio',
    'document',
    'sticker',
    'location',
    'contacts',
    'reaction',
    'buttons',
    'list',
  ],
  canMarkRead: true,
  windowHours: null,
  // The companion sends under our attempt's id, so its acknowledgements and echoes carry it.
  echoesAttemptId: true,
  maxTextLength: 4_096,
  // WhatsApp shows no buttons or lists of a web client: they go out as numbered text.
  maxButtons: 10,
  maxListRows: 20,
  maxButtonTitleLength: 64,
  // No limit of its own; a number that writes fast is banned.
  messagesPerSecond: 1,
};

export const webjsFields: AccountFields = {
  secrets: [
    {
      name: 'webhookKey',
      label: 'Webhook HMAC key',
      isRequired: true,
      verifies: 'signature',
      hint: 'Key shared with the companion; it signs the webhooks',
    },
    { name: 'apiKey', label: 'API key', isRequired: false, hint: 'Sent to the companion as a bearer token' },
  ],
  settings: [
    {
      name: 'session',
      label: 'Session',
      isRequired: true,
      binds: 'session',
      hint: 'Name of the session at the companion',
    },
    {
      name: 'baseUrl',
      isUrl: true,
      label: 'Base URL',
      placeholder: 'https://…',
      accepts: /^https?:\/\/[^\s]+$/,
      isRequired: false,
      hint: 'https://companion.example.com; the configured one if empty',
    },
    ...gateFields,
  ],
  // Names of the companion, which are WAHA's.
  webhookEvents: [
    'message',
    'message.ack',
    'message.reaction',
    'message.edited',
    'message.revoked',
    'session.status',
    'session.qr',
  ],
};
