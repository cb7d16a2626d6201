/**
 * WhatsApp by Twilio. Verified by X-Twilio-Signature; one message or status a request, as a form. Buttons and lists need
 * a content template there, so free ones go out as numbered text and a menu works all the same. A status callback comes
 * back to the URL we gave with the message, so an uncertain send settles itself.
 */
import type { Channel } from '../channel.ts';
import { twilioCapabilities, twilioFields } from './capabilities.ts';
import { listTwilioMessages } from './list-client.ts';
import { normaliseTwilio } from './normalise.ts';
import { hasTwilioSignature, verifyTwilio } from './signature.ts';
import { sendByTwilio } from './twilio-client.ts';
import { twilioWebhook } from './webhook.ts';

export const twilioChannel: Channel = {
  provider: 'twilio',
  capabilities: twilioCapabilities,
  fields: twilioFields,
  verify: verifyTwilio,
  hasSignature: hasTwilioSignature,
  normalise: normaliseTwilio,
  webhook: twilioWebhook,
  send: sendByTwilio,
  listMessages: listTwilioMessages,
};
