/** What the companion refuses: `{error: {code, message}}`. */
import type { Retry } from '@switchyard/contract';
import { type JsonValue, textAt, valueAt } from '../reading/index.ts';

/** In our words, with the companion's own beside them; undefined for an answer that is none of the companion's. */
export function companionErrorOf(body: JsonValue): (CompanionError & { readonly providerCode: string }) | undefined {
  const error = valueAt(body, 'error');
  const providerCode = textAt(error, 'code');
  const known = providerCode === undefined || !Object.hasOwn(errors, providerCode) ? undefined : errors[providerCode];
  if (!known || providerCode === undefined) return undefined;
  return { ...known, detail: textAt(error, 'message') || known.detail, providerCode };
}

interface CompanionError {
  readonly kind: 'refused' | 'unreachable';
  readonly code: string;
  readonly detail: string;
  readonly retry: Retry;
}

const hourMs = 60 * 60_000;

/** The companion's error codes. Each says that nothing was sent. */
const errors: Readonly<Record<string, CompanionError>> = {
  not_on_whatsapp: {
    kind: 'refused',
    code: 'recipient-unreachable',
    detail: 'the number is not on WhatsApp',
    retry: { kind: 'never' },
  },
  not_connected: {
    kind: 'unreachable',
    code: 'not-connected',
    detail: 'the session is not connected',
    retry: { kind: 'later' },
  },
  // WhatsApp bars the number from writing to new people (its error 463); how long, it says in the message at most.
  restricted: {
    kind: 'refused',
    code: 'account-restricted',
    detail: 'WhatsApp bars this number from writing to new contacts',
    retry: { kind: 'later', afterMs: hourMs },
  },
  // The cap on messages (its error 475).
  quota: {
    kind: 'refused',
    code: 'rate-limited',
    detail: 'the number has reached its cap of messages',
    retry: { kind: 'later', afterMs: hourMs },
  },
  unauthorized: {
    kind: 'refused',
    code: 'credentials-refused',
    detail: 'the companion refused the key',
    // A changed key reaches the companion with the renewal of its lease: within 10 s, by default.
    retry: { kind: 'later', afterMs: 5_000 },
  },
  not_found: {
    kind: 'refused',
    code: 'session-missing',
    detail: 'the companion has no such session',
    retry: { kind: 'never' },
  },
  // The host of a message's file did not answer: neither the companion's silence nor WhatsApp's, so no breaker opens for it.
  file_unavailable: {
    kind: 'refused',
    code: 'file-unavailable',
    detail: 'the file could not be fetched from its address',
    retry: { kind: 'later' },
  },
  invalid: {
    kind: 'refused',
    code: 'request-invalid',
    detail: 'the companion refused the message',
    retry: { kind: 'never' },
  },
};
