import type { AccountFields, Capabilities } from '../channel.ts';

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
      isRequired: true,
      verifies: 'signature',
      hint: 'Token of the instance (or the global key of the server)',
    },
    {
      name: 'webhookSecret',
      isRequired: false,
      verifies: 'signature',
      hint: 'Value of the webhook header, or its jwt_key',
    },
  ],
  settings: [
    { name: 'instance', isRequired: true, binds: 'instance', hint: 'Name of the instance at the server' },
    { name: 'requiresSecret', isRequired: false, hint: 'true: refuse a webhook that brings no secret' },
    { name: 'baseUrl', isRequired: false, hint: 'https://evolution.example.com; the configured one if empty' },
    { name: 'version', isRequired: false, hint: 'v1 or v2; v2 if empty' },
    { name: 'menus', isRequired: false, hint: 'native or text: text sends buttons and lists as numbered text' },
  ],
};
