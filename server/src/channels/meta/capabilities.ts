import type { AccountFields, Capabilities } from '../channel.ts';

/** Meta, "Cloud API: messages" and "throughput". */
export const metaCapabilities: Capabilities = {
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
    'template',
  ],
  canMarkRead: true,
  windowHours: 24,
  echoesAttemptId: true,
  maxTextLength: 4_096,
  maxButtons: 3,
  maxListRows: 10,
  maxButtonTitleLength: 20,
  messagesPerSecond: 80,
};

/** The version that requests name where the account sets none. */
export const defaultGraphVersion = 'v24.0';

export const metaFields: AccountFields = {
  secrets: [
    {
      name: 'accessToken',
      label: 'Access token',
      isRequired: true,
      hint: 'Token of a system user with whatsapp_business_messaging',
    },
    {
      name: 'appSecret',
      label: 'App secret',
      isRequired: false,
      verifies: 'signature',
      hint: 'Signs the webhooks; needed unless the operator holds it',
    },
    {
      name: 'verifyToken',
      label: 'Verify token',
      isRequired: false,
      verifies: 'challenge',
      hint: 'Text you choose for the GET challenge',
    },
  ],
  settings: [
    {
      name: 'phoneNumberId',
      label: 'Phone number ID',
      accepts: /^\S{1,64}$/,
      isRequired: true,
      binds: 'phone_number_id',
      hint: 'Id of the number in the API, not the number itself',
    },
    {
      name: 'wabaId',
      label: 'WhatsApp Business Account ID',
      accepts: /^\S{1,64}$/,
      isRequired: false,
      binds: 'waba_id',
      hint: 'Id of the WhatsApp business account',
    },
    {
      name: 'baseUrl',
      isUrl: true,
      label: 'Base URL',
      placeholder: 'https://…',
      accepts: /^https?:\/\/[^\s]+$/,
      isRequired: false,
      hint: 'https://graph.facebook.com if empty; another only for a stand-in',
    },
    {
      name: 'graphVersion',
      label: 'Graph API version',
      placeholder: 'v24.0',
      accepts: /^v\d{1,2}\.\d$/,
      isRequired: false,
      hint: `Version of the Graph API, ${defaultGraphVersion} if empty`,
    },
  ],
  // The fields of a WhatsApp business account (Meta, 'Webhooks: fields').
  webhookEvents: [
    'messages',
    'message_template_status_update',
    'phone_number_quality_update',
    'account_update',
    'account_alerts',
  ],
};
