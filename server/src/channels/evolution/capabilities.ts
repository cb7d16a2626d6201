import type { AccountFields, Capabilities } from '../channel.ts';
import { gateFields } from '../gate-fields.ts';

/** Evolution's server adds no limits; these are WhatsApp's own. There is no window: the phone writes to whom it wants. */
export const evolutionCapabilities: Capabilities = {
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
  echoesAttemptId: false,
  maxTextLength: 4_096,
  maxButtons: 3,
  maxListRows: 10,
  maxButtonTitleLength: 20,
  // No limit of the server's own; a number that writes fast is banned.
  messagesPerSecond: 1,
};

export const evolutionFields: AccountFields = {
  secrets: [
    {
      name: 'apiKey',
      label: 'API key',
      isRequired: true,
      verifies: 'signature',
      hint: 'Token of the instance (or the global key of the server)',
    },
    {
      name: 'webhookSecret',
      label: 'Webhook secret',
      isRequired: false,
      verifies: 'signature',
      hint: 'Value of the webhook header, or its jwt_key',
    },
  ],
  settings: [
    {
      name: 'instance',
      label: 'Instance',
      isRequired: true,
      binds: 'instance',
      hint: 'Name of the instance at the server',
    },
    {
      name: 'requiresSecret',
      label: 'Webhooks need a secret',
      accepts: /^(?:true|false)$/,
      isRequired: false,
      hint: 'true: refuse a webhook that brings no secret',
    },
    {
      name: 'baseUrl',
      isUrl: true,
      label: 'Base URL',
      placeholder: 'https://…',
      accepts: /^https?:\/\/[^\s]+$/,
      isRequired: false,
      hint: 'https://evolution.example.com; the configured one if empty',
    },
    {
      name: 'version',
      label: 'Version',
      placeholder: 'v2',
      accepts: /^v[12]$/,
      isRequired: false,
      hint: 'v1 or v2; v2 if empty',
    },
    {
      name: 'menus',
      label: 'Menus',
      accepts: /^(?:native|text)$/,
      isRequired: false,
      hint: 'native or text: text sends buttons and lists as numbered text',
    },
    ...gateFields,
  ],
  // Names of `webhook/set` (its event enum).
  webhookEvents: [
    'MESSAGES_UPSERT',
    'MESSAGES_UPDATE',
    'MESSAGES_DELETE',
    'SEND_MESSAGE',
    'CONNECTION_UPDATE',
    'QRCODE_UPDATED',
  ],
};
