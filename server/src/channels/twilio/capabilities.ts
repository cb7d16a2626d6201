import type { AccountFields, Capabilities } from '../channel.ts';

/** Twilio, "Messages resource" and "Best practices for WhatsApp". */
export const twilioCapabilities: Capabilities = {
  sends: ['text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'buttons', 'list', 'template'],
  canMarkRead: false,
  windowHours: 24,
  echoesAttemptId: true,
  maxTextLength: 1_600,
  // Sent as numbered text, so only the text's length limits them; these keep a menu readable.
  maxButtons: 10,
  maxListRows: 20,
  maxButtonTitleLength: 64,
  // Newer WhatsApp senders; Twilio queues what is faster.
  messagesPerSecond: 80,
};

export const twilioFields: AccountFields = {
  secrets: [
    {
      name: 'authToken',
      label: 'Auth token',
      isRequired: true,
      verifies: 'signature',
      hint: 'Auth token of the (sub)account; it signs the webhooks',
    },
    {
      name: 'apiKeySecret',
      label: 'API key secret',
      isRequired: false,
      hint: 'Secret of an API key to send with, instead of the auth token',
    },
  ],
  settings: [
    {
      name: 'accountSid',
      label: 'Account SID',
      placeholder: 'AC…',
      accepts: /^AC\w{2,62}$/i,
      isRequired: true,
      binds: 'twilio_account',
      hint: 'AC…, the (sub)account that owns the sender',
    },
    {
      name: 'sender',
      label: 'Sender',
      placeholder: 'whatsapp:+14155238886',
      accepts: /^\s*(?:whatsapp:)?\s*\+?\d{5,15}\s*$/i,
      isRequired: false,
      binds: 'twilio_address',
      hint: 'whatsapp:+14155238886; needed without a messaging service',
    },
    {
      name: 'messagingServiceSid',
      label: 'Messaging Service SID',
      placeholder: 'MG…',
      accepts: /^MG[0-9a-f]{32}$/i,
      isRequired: false,
      hint: 'MG…, instead of a sender',
    },
    {
      name: 'baseUrl',
      isUrl: true,
      label: 'Base URL',
      placeholder: 'https://…',
      accepts: /^https?:\/\/[^\s]+$/,
      isRequired: false,
      hint: 'https://api.twilio.com if empty; another only for a stand-in',
    },
    {
      name: 'apiKeySid',
      label: 'API key SID',
      placeholder: 'SK…',
      accepts: /^SK[0-9a-f]{32}$/i,
      isRequired: false,
      hint: 'SK…, the API key that apiKeySecret belongs to',
    },
  ],
  // Incoming messages and status callbacks, which Twilio calls where it is told to.
  webhookEvents: ['message', 'status'],
};
