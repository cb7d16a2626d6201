import type { Provider } from '@switchyard/contract';
import type { NewAccount } from './accounts.ts';
import { failureOf, Refusal } from './failures.ts';

export const accountLimits = { maxNameLength: 200, minTokenLength: 8, maxTokenLength: 256 } as const;

export interface Shape {
  readonly name: string;
  readonly phoneNumber: string | null;
}

/** Throws a `Refusal`. */
export function checkShape(account: Pick<NewAccount, 'name' | 'phoneNumber'>, provider: Provider): Shape {
  const name = account.name?.trim() || provider;
  const tooLong = name.length > accountLimits.maxNameLength;
  if (tooLong) throw new Refusal(failureOf('name_too_long', `A name has ${accountLimits.maxNameLength} characters.`));
  const phoneNumber = account.phoneNumber?.replaceAll(/[\s().-]/g, '') || null;
  if (phoneNumber && !/^\+[1-9]\d{4,14}$/.test(phoneNumber)) {
    throw new Refusal(failureOf('phone_malformed', 'A number is written with + and country code: +14155550100.'));
  }
  return { name, phoneNumber };
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
