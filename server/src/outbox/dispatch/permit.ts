/** What decides, before anything leaves, whether a message may: pure, one rule a function, the first "no" counts. */
import type { Failure, OutboundContent } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { Capabilities } from '#channels';
import type { Lane } from '../outbox.ts';
import type { ClaimedMessage } from './walk.ts';

const hourMs = 3_600_000;
/** The topic of "stop": everything that we begin. */
const everyTopic = 'all';

export function checkAccount(account: ServingAccount | null): Failure | null {
  if (!account || account.isDeleted) return no('AccountGone', 'The account is no longer connected here.');
  if (!account.isActive) return no('AccountInactive', 'The account is switched off.');
  return null;
}

export function checkCapability(content: OutboundContent, capabilities: Capabilities): Failure | null {
  if (capabilities.sends.includes(content.type)) return null;
  return no('NotSupported', `The channel cannot send a message of type ${content.type}.`);
}

/** Outside the window only a template may open the conversation again. */
export function checkWindow(message: ClaimedMessage, capabilities: Capabilities): Failure | null {
  const { windowHours } = capabilities;
  if (windowHours === null || message.content.type === 'template' || message.isFreeEntryOpen) return null;
  if (message.inboundAgeMs !== null && message.inboundAgeMs < windowHours * hourMs) return null;
  return no('WindowClosed', `The customer has not written within ${windowHours} hours; only a template can be sent.`);
}

/** An answer to what the customer wrote needs no consent; what we begin does. */
export function needsConsent(lane: Lane): boolean {
  return lane === 'campaign' || lane === 'reminder';
}

/** `optedOut`: topics that the customer does not want. A reminder concerns what they ordered: only "nothing at all" stops it. */
export function checkConsent(message: ClaimedMessage, optedOut: readonly string[]): Failure | null {
  if (!needsConsent(message.lane) || optedOut.length === 0) return null;
  if (message.lane === 'reminder' && !optedOut.includes(everyTopic)) return null;
  return no('OptedOut', 'The customer does not want such messages.');
}

function no(code: string, detail: string): Failure {
  return { code, detail, retry: { kind: 'never' }, isCertain: true };
}
