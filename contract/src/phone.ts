/**
 * Phone numbers in one form, E.164 with `+`.
 *
 * A wa_id is not always the E.164 number without its `+`: WhatsApp kept older forms in Mexico (`521…`), Argentina
 * (`54…` without the mobile 9) and Brazil (no ninth digit). One person must not become two for that, so the three
 * have rules of their own here; everything else is left to libphonenumber.
 */
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js';

const minDigits = 6;
const maxDigits = 15;

/**
 * The canonical number for a wa_id, a JID's user part or an E.164 number, in whatever form WhatsApp wrote it.
 * undefined when it cannot be a phone number (a LID, a business-scoped id, a name).
 */
export function canonicalPhone(text: string): string | undefined {
  const compact = text.trim().replace(/[\s().-]/g, '');
  const digits = /^(?:\+|00)?(\d+)$/.exec(compact)?.[1];
  if (digits === undefined || digits.length < minDigits || digits.length > maxDigits || digits.startsWith('0'))
    return undefined;
  return `+${mexican(digits) ?? argentinian(digits) ?? brazilian(digits) ?? digits}`;
}

/** A number as a person types it. `country` (ISO 3166, two letters) reads numbers without a country code. */
export function parsePhone(text: string, country?: string): string | undefined {
  const home = country !== undefined && isSupportedCountry(country) ? (country as CountryCode) : undefined;
  const parsed = parsePhoneNumberFromString(text, home);
  if (!parsed?.isPossible()) return canonicalIfInternational(text);
  return canonicalPhone(parsed.number);
}

/** For people: `+52 55 1234 5678`; a number that no rule knows is shown as it is. */
export function displayPhone(phone: string): string {
  return parsePhoneNumberFromString(phone)?.formatInternational() ?? phone;
}

/** ISO 3166, two upper-case letters; undefined where the code is shared or unknown. */
export function countryOfPhone(phone: string): string | undefined {
  return parsePhoneNumberFromString(phone)?.country;
}

/** libphonenumber calls the old Mexican and Brazilian forms impossible: they are WhatsApp's, not mistakes. */
function canonicalIfInternational(text: string): string | undefined {
  if (!/^\s*(?:\+|00)/.test(text)) return undefined;
  const canonical = canonicalPhone(text);
  return canonical && parsePhoneNumberFromString(canonical)?.isPossible() ? canonical : undefined;
}

/** Until 2019 mobiles were dialled with a 1 after the country code; WhatsApp kept it. */
function mexican(digits: string): string | undefined {
  return /^521\d{10}$/.test(digits) ? `52${digits.slice(3)}` : undefined;
}

/** Mobiles are +54 9 area number from abroad; blocks of fixed and mobile numbers do not overlap. */
function argentinian(digits: string): string | undefined {
  return /^54[1-8]\d{9}$/.test(digits) ? `549${digits.slice(2)}` : undefined;
}

/** Mobiles got a ninth digit by 2016; wa_ids made before lack it. Fixed lines begin with 2 to 5. */
function brazilian(digits: string): string | undefined {
  return /^55[1-9]\d[6-9]\d{7}$/.test(digits) ? `${digits.slice(0, 4)}9${digits.slice(4)}` : undefined;
}
