/**
 * When free text may be sent. Providers with a window (`Capabilities.windowHours`) take it for so many hours after the
 * customer's last message; a conversation that began with an advertisement stays open for 72 hours from its message
 * (Meta's free entry point). Outside, only templates.
 */
import type { Referral } from '@switchyard/contract';

const hourMs = 3_600_000;
const freeEntryHours = 72;

export interface WindowFacts {
  readonly lastInboundAt: Date | null;
  readonly freeEntryUntil: Date | null;
}

export type Window =
  /** `until` null: this channel has no window. */
  | { readonly kind: 'open'; readonly until: Date | null }
  /** `since` null: the customer has never written. */
  | { readonly kind: 'closed'; readonly since: Date | null };

/** Open up to and without the instant at which it ends. */
export function windowAt(facts: WindowFacts, windowHours: number | null, now: Date): Window {
  if (windowHours === null) return { kind: 'open', until: null };
  const ends = [
    facts.lastInboundAt ? facts.lastInboundAt.getTime() + windowHours * hourMs : Number.NEGATIVE_INFINITY,
    facts.freeEntryUntil?.getTime() ?? Number.NEGATIVE_INFINITY,
  ];
  const end = Math.max(...ends);
  if (end === Number.NEGATIVE_INFINITY) return { kind: 'closed', since: null };
  return now.getTime() < end ? { kind: 'open', until: new Date(end) } : { kind: 'closed', since: new Date(end) };
}

/** The end of the free entry that this referral opens; undefined for links and shares, which open none. */
export function freeEntryUntilOf(referral: Referral | undefined, at: Date): Date | undefined {
  const isAdvertisement = referral?.sourceType === 'ad' || referral?.clickId !== undefined;
  return isAdvertisement ? new Date(at.getTime() + freeEntryHours * hourMs) : undefined;
}
