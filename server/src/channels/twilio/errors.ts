/**
 * Twilio's error codes, translated once. Source: Twilio's error and warning dictionary; whether to retry follows its
 * descriptions. The same codes come in REST answers and in status callbacks.
 */
import type { Failure, Retry } from '@switchyard/contract';

interface TwilioError {
  readonly code: string;
  readonly title: string;
  readonly retry: Retry;
}

const never: Retry = { kind: 'never' };
const later: Retry = { kind: 'later' };
const inTenMinutes: Retry = { kind: 'later', afterMs: 10 * 60_000 };
/** Twilio does not say when an account's day ends: it may be soon. */
const inOneHour: Retry = { kind: 'later', afterMs: 60 * 60_000 };

/** One row a condition: the codes that mean it, its name, words for people, and when to try again. */
const rows: readonly (readonly [codes: readonly number[], code: string, title: string, retry: Retry])[] = [
  [[20003], 'credentials-refused', 'Twilio refused the account SID or auth token', never],
  [[20404], 'not-found', 'the account or resource does not exist', never],
  [[20429], 'rate-limited', 'too many concurrent requests', later],
  [[21211, 21614, 63003, 63024], 'recipient-unreachable', 'no such recipient', never],
  [[21408, 21606, 21612, 63002, 63007], 'sender-refused', 'this sender may not send to this recipient', never],
  [[21608, 63015], 'sandbox-not-joined', 'the recipient has not joined the trial or sandbox', never],
  [[21610], 'opted-out', 'the recipient has opted out', never],
  [[21611, 30001], 'queue-full', 'too many messages of this sender are waiting', inTenMinutes],
  [[21617, 21620, 21623, 21654, 21655, 21656], 'content-refused', 'the content was refused', never],
  [[63005, 63006, 63021, 63027, 63028, 63030, 63034], 'content-refused', 'the channel refused the content', never],
  [[21703], 'sender-refused', 'the messaging service has no sender', never],
  [[30002], 'account-suspended', 'the Twilio account is suspended', never],
  [[30003, 30005, 30006, 30008], 'delivery-failed', 'the recipient could not be reached', later],
  [[30004, 30007, 63013, 63014, 63026, 63032, 63033], 'blocked', 'blocked or filtered by policy', never],
  [[30410, 63009, 63010, 63012], 'provider-error', 'Twilio or WhatsApp failed', later],
  [[63001, 63008, 63020], 'channel-misconfigured', 'the sender is not set up rightly at Twilio or Meta', never],
  [[63016], 'window-closed', 'outside the 24-hour window: only a template may be sent', never],
  [[63017, 63018], 'rate-limited', 'the rate limit of the channel is exceeded', later],
  [[63019, 63037], 'media-not-usable', 'the file could not be fetched or passed on', later],
  [[63031], 'recipient-unreachable', 'sender and recipient are the same', never],
  [[63038], 'daily-limit', 'the daily limit of the account is reached', inOneHour],
  [[63040, 63041], 'template-refused', 'the template is refused or paused', never],
];

export const twilioErrors: ReadonlyMap<string, TwilioError> = new Map(
  rows.flatMap(([codes, code, title, retry]) => codes.map((one) => [String(one), { code, title, retry }] as const)),
);

/** The failure of a code we know, with Twilio's own words where it sent some; undefined for the rest. */
export function knownFailure(providerCode: string, words: string | undefined): Failure | undefined {
  const known = twilioErrors.get(providerCode);
  if (!known) return undefined;
  const detail = words ? `${known.title} (${words})` : known.title;
  return { code: known.code, detail, retry: known.retry, isCertain: true, providerCode };
}
