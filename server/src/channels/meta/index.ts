/** WhatsApp Cloud API of Meta. */
import type { Channel } from '../channel.ts';
import { answerGraphChallenge, hasGraphSignature, verifyGraphSignature } from '../graph/index.ts';
import { metaCapabilities, metaFields } from './capabilities.ts';
import { markMetaRead, sendMeta } from './meta-client.ts';
import { normaliseMeta } from './normalise.ts';
import { metaWebhook } from './webhook.ts';

export const metaChannel: Channel = {
  provider: 'meta',
  capabilities: metaCapabilities,
  fields: metaFields,
  verify: verifyGraphSignature,
  hasSignature: hasGraphSignature,
  challenge: answerGraphChallenge,
  normalise: normaliseMeta,
  webhook: metaWebhook,
  send: sendMeta,
  markRead: markMetaRead,
};
