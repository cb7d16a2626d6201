/**
 * WhatsApp by Twilio. Verified by X-Twilio-Signature; one message or status a request, as a form. Buttons and lists need
 * a content template there, so free ones go out as numbered text and a menu works all the same. A status callback comes
 * back to the URL we gave with the message, so an uncertain send settles itself.
 */
import type { Channel } from '../channel.ts';
import { normaliseTwilio } from './normalise.ts';
import { verifyTwilio } from './signature.ts';
import { sendByTwilio } from './twilio-client.ts';

export const twilioChannel: Channel = {
  provider: 'twilio',
  capabilities: {
    sends: ['text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'buttons', 'list', 'template'],
    canMarkRead: false,
    windowHours: 24,
    echoesAttemptId: true,
    // Messages resource: a Body holds up to 1,600 characters.
    maxTextLength: 1_600,
    // Numbered text, so the text alone is the limit; these keep a menu readable.
    maxButtons: 10,
    maxListRows: 20,
    maxButtonTitleLength: 64,
    // Newer WhatsApp senders; Twilio queues what is faster.
    messagesPerSecond: 80,
  },
  fields: {
    secrets: [
      {
        name: 'authToken',
        isRequired: true,
        verifies: 'signature',
        hint: 'Auth token of the (sub)account; it signs the webhooks',
      },
      { name: 'apiKeySecret', isRequired: false, hint: 'Secret of an API key to send with, instead of the auth token' },
    ],
    settings: [
      {
        name: 'accountSid',
        isRequired: true,
        binds: 'twilio_account',
        hint: 'AC…, the (sub)account that owns the sender',
      },
      {
        name: 'sender',
        isRequired: false,
        binds: 'twilio_address',
        hint: 'whatsapp:+14155238886; needed without a messaging service',
      },
      { name: 'messagingServiceSid', isRequired: false, hint: 'MG…, instead of a sender' },
      { name: 'apiKeySid', isRequired: false, hint: 'SK…, the API key that apiKeySecret belongs to' },
    ],
  },
  verify: verifyTwilio,
  normalise: normaliseTwilio,
  send: sendByTwilio,
};
