/**
 * WhatsApp by an Evolution API server, v1 and v2: an unofficial client of WhatsApp, one instance a number. Its webhooks
 * are not signed; a header, a token, the instance's key or the route token stands for the signature.
 */
import type { Channel } from '../channel.ts';
import { findBodySecrets } from './body-secrets.ts';
import { evolutionCapabilities, evolutionFields } from './capabilities.ts';
import { markEvolutionRead, sendByEvolution } from './evolution-client.ts';
import { listEvolutionMessages } from './list-client.ts';
import { normaliseEvolution } from './normalise.ts';
import { evolutionSessions } from './session-client.ts';
import { verifyEvolution } from './verify.ts';
import { evolutionWebhook } from './webhook.ts';

export const evolutionChannel: Channel = {
  provider: 'evolution',
  capabilities: evolutionCapabilities,
  fields: evolutionFields,
  verify: verifyEvolution,
  normalise: normaliseEvolution,
  webhook: evolutionWebhook,
  findSecrets: findBodySecrets,
  send: sendByEvolution,
  listMessages: listEvolutionMessages,
  markRead: markEvolutionRead,
  sessions: evolutionSessions,
};
