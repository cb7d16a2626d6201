/**
 * What a provider told of an account's standing, out of the facts that are kept of its account events. Names and values
 * are Meta's ("Webhooks: account_update, phone_number_quality_update, business_capability_update"); what others tell in
 * another way is simply not known here.
 */
export interface ProviderFacts {
  /** As the number's flag says; null: not told. */
  readonly quality: 'good' | 'flagged' | null;
  readonly restriction: Restriction | null;
  /** Customers that may be written to first in 24 hours; null: not told, or without limit. */
  readonly dailyLimit: number | null;
}

export interface Restriction {
  /** The provider's word: `DISABLE`, `RESTRICTED_BIZ_INITIATED_MESSAGING`. */
  readonly what: string;
  readonly endsAt: Date | null;
}

type Named = Readonly<Record<string, unknown>>;

const ratings: ReadonlySet<unknown> = new Set(['FLAGGED', 'UNFLAGGED', 'DOWNGRADE', 'UPGRADE']);
const restrictions: ReadonlySet<unknown> = new Set(['ACCOUNT_RESTRICTION', 'ACCOUNT_VIOLATION', 'DISABLED_UPDATE']);

/** Under which name a fact is kept: what restricts or rates an account shall not be overwritten by lesser news. */
export function nameOfFact(name: string, facts: Named): string {
  if (name === 'account_update' && restrictions.has(facts.event)) return 'account_restriction';
  if (name === 'phone_number_quality_update' && ratings.has(facts.event)) return 'quality_rating';
  return name;
}

export function readProviderFacts(metadata: Named): ProviderFacts {
  return {
    quality: qualityOf(factsUnder(metadata, 'quality_rating')),
    restriction: restrictionOf(factsUnder(metadata, 'account_restriction')),
    dailyLimit:
      limitOf(factsUnder(metadata, 'business_capability_update')) ??
      limitOf(factsUnder(metadata, 'phone_number_quality_update')) ??
      limitOf(factsUnder(metadata, 'quality_rating')),
  };
}

function factsUnder(metadata: Named, name: string): Named {
  const kept = metadata[name];
  const facts = isNamed(kept) ? kept.facts : undefined;
  return isNamed(facts) ? facts : {};
}

function qualityOf(facts: Named): ProviderFacts['quality'] {
  if (!ratings.has(facts.event)) return null;
  return facts.event === 'FLAGGED' || facts.event === 'DOWNGRADE' ? 'flagged' : 'good';
}

function restrictionOf(facts: Named): Restriction | null {
  const ban = isNamed(facts.ban_info) ? facts.ban_info : {};
  if (facts.event === 'DISABLED_UPDATE') {
    const state = String(ban.waba_ban_state ?? 'DISABLE');
    return state === 'REINSTATE' ? null : { what: state, endsAt: null };
  }
  if (facts.event === 'ACCOUNT_VIOLATION') {
    const violation = isNamed(facts.violation_info) ? facts.violation_info : {};
    return { what: String(violation.violation_type ?? 'ACCOUNT_VIOLATION'), endsAt: null };
  }
  const [first] = Array.isArray(facts.restriction_info) ? facts.restriction_info.filter(isNamed) : [];
  return first ? { what: String(first.restriction_type), endsAt: instantOf(first.expiration) } : null;
}

/** Seconds since 1970. */
function instantOf(value: unknown): Date | null {
  const seconds = Number(value);
  return Number.isFinite(seconds) && seconds > 0 ? new Date(seconds * 1_000) : null;
}

/** `2000`, `TIER_1K`, `TIER_100K`; `TIER_UNLIMITED` has no number. */
function limitOf(facts: Named): number | null {
  const told =
    facts.max_daily_conversations_per_business ?? facts.max_daily_conversation_per_phone ?? facts.current_limit;
  const [, digits, thousands] = /^(?:TIER_)?(\d+)(K?)$/.exec(String(told ?? '')) ?? [];
  return digits ? Number(digits) * (thousands ? 1_000 : 1) : null;
}

function isNamed(value: unknown): value is Named {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
