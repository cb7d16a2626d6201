import { type Provider, parsePhone } from '@switchyard/contract';
import type { NewAccount } from '../accounts.ts';
import { failureOf, Refusal } from '../failures.ts';

export const accountLimits = { maxNameLength: 200, minTokenLength: 8, maxTokenLength: 256 } as const;

export interface Shape {
  readonly name: string;
  /** E.164 with `+`. */
  readonly phoneNumber: string | null;
  readonly businessName: string | null;
}

/** A number in any international spelling becomes E.164; who gives no name is called by the number. Throws a `Refusal`. */
export function checkShape(
  account: Pick<NewAccount, 'name' | 'phoneNumber' | 'businessName'>,
  provider: Provider,
): Shape {
  const phoneNumber = account.phoneNumber?.trim() ? parsePhone(account.phoneNumber) : null;
  if (phoneNumber === undefined) {
    throw new Refusal(failureOf('phone_malformed', 'A number is written with + and country code: +14155550100.'));
  }
  const name = checkName(account.name?.trim() || phoneNumber || provider);
  return { name, phoneNumber, businessName: checkName(account.businessName?.trim() ?? '') || null };
}

function checkName(name: string): string {
  if (name.length <= accountLimits.maxNameLength) return name;
  throw new Refusal(failureOf('name_too_long', `A name has ${accountLimits.maxNameLength} characters.`));
}

/** An imported token stands in a path: no slash, nothing that a URL reads otherwise. Throws a `Refusal`. */
export function checkToken(token: string): string {
  const { minTokenLength, maxTokenLength } = accountLimits;
  const isGood = token.length >= minTokenLength && token.length <= maxTokenLength && /^[\w.~-]+$/.test(token);
  if (isGood) return token;
  throw new Refusal(
    failureOf('token_malformed', `A token has ${minTokenLength} to ${maxTokenLength} letters, digits or ._~-`),
  );
}
