import type { Failure } from '@switchyard/contract';
import type { AccountFields } from '#channels';
import { failureOf } from './failures.ts';

type Named = Readonly<Record<string, string>>;

export const maxFieldLength = 8_192;

/** Null when the settings and secrets are what this provider needs, else what is missing or not known. */
export function checkFields(fields: AccountFields, settings: Named, secrets: Named): Failure | null {
  return check('setting', fields.settings, settings) ?? check('secret', fields.secrets, secrets);
}

function check(what: 'setting' | 'secret', known: AccountFields['settings'], given: Named): Failure | null {
  const unknown = Object.keys(given).find((name) => !known.some((field) => field.name === name));
  if (unknown !== undefined) return failureOf('unknown_field', `There is no ${what} called ${unknown}.`);
  const missing = known.find((field) => field.isRequired && !given[field.name]);
  if (missing) return failureOf('missing_field', `The ${what} ${missing.name} is needed: ${missing.hint}.`);
  const long = known.find((field) => (given[field.name]?.length ?? 0) > maxFieldLength);
  if (long) return failureOf('field_too_long', `The ${what} ${long.name} is longer than ${maxFieldLength} characters.`);
  return null;
}

/** By name; an empty text takes one away. */
export function mergeFields(before: Named, change: Named | undefined): Named {
  const merged = { ...before, ...change };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
}
