/**
 * WhatsApp by a companion process on an unofficial web client. Our own form is described in `verify.ts`, `envelope.ts`
 * and `webjs-client.ts`; WAHA's webhooks and raw Baileys objects are read too.
 */
import type { Channel } from '../channel.ts';
import { webjsCapabilities, webjsFields } from './capabilities.ts';
import { normaliseWebjs } from './normalise.ts';
import { companionSessions } from './session-client.ts';
import { verifyWebjs } from './verify.ts';
import { markCompanionRead, sendByCompanion } from './webjs-client.ts';

export const webjsChannel: Channel = {
  provider: 'webjs',
  capabilities: webjsCapabilities,
  fields: webjsFields,
  verify: verifyWebjs,
  normalise: normaliseWebjs,
  send: sendByCompanion,
  markRead: markCompanionRead,
  sessions: companionSessions,
};
