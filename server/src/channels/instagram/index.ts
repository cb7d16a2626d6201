/** Instagram (and pages) through Meta's Graph API. */
import type { Channel } from '../channel.ts';
import { answerGraphChallenge, hasGraphSignature, verifyGraphSignature } from '../graph/index.ts';
import { instagramCapabilities, instagramFields } from './capabilities.ts';
import { sendInstagram } from './instagram-client.ts';
import { normaliseInstagram } from './normalise.ts';
import { instagramWebhook } from './webhook.ts';

export const instagramChannel: Channel = {
  provider: 'instagram',
  capabilities: instagramCapabilities,
  fields: instagramFields,
  verify: verifyGraphSignature,
  hasSignature: hasGraphSignature,
  challenge: answerGraphChallenge,
  normalise: normaliseInstagram,
  webhook: instagramWebhook,
  send: sendInstagram,
};
