import { type Failure, isTimeZone } from '@switchyard/contract';
import { type AccountFields, parseOutgoingUrl } from '#channels';
import { failureOf } from '../failures.ts';

type Named = Readonly<Record<string, string>>;

export const maxFieldLength = 8_192;

/** What an account of any provider may have set. */
export const commonSettings: AccountFields['settings'] = [
  {
    name: 'messagesPerSecond',
    label: 'Messages per second',
    isRequired: false,
    hint: 'How fast this account may send, 0.1 to 1000; the provider’s own pace if empty',
    accepts: /^(?:0?\.[1-9]|[1-9]\d{0,2}(?:\.\d)?|1000)$/,
  },
];

/** Null when the settings and secrets are what this provider needs, else what is missing or not known. */
export function checkFields(fields: AccountFields, settings: Named, secrets: Named): Failure | null {
  return (
    check('setting', [...fields.settings, ...commonSettings], settings) ??
    checkUrls(fields.settings, settings) ??
    checkZones(fields.settings, settings) ??
    check('secret', fields.secrets, secrets)
  );
}

function checkUrls(known: AccountFields['settings'], given: Named): Failure | null {
  const wrong = known.find(({ name, isUrl }) => isUrl && given[name] && !parseOutgoingUrl(given[name]));
  if (!wrong) return null;
  return failureOf('url_malformed', `The setting ${wrong.name} is no http(s) URL, or has a name or password in it.`);
}

function checkZones(known: AccountFields['settings'], given: Named): Failure | null {
  const wrong = known.find((field) => field.isTimeZone && given[field.name] && !isTimeZone(given[field.name] ?? ''));
  if (!wrong) return null;
  return failureOf('field_malformed', `The setting ${wrong.name} is not the name of a time zone, like Europe/Madrid.`);
}

function check(what: 'setting' | 'secret', known: AccountFields['settings'], given: Named): Failure | null {
  const unknown = Object.keys(given).find((name) => !known.some((field) => field.name === name));
  if (unknown !== undefined) return failureOf('unknown_field', `There is no ${what} called ${unknown}.`);
  const missing = known.find((field) => field.isRequired && !given[field.name]);
  if (missing) return failureOf('missing_field', `The ${what} ${missing.name} is needed: ${missing.hint}.`);
  const long = known.find((field) => (given[field.name]?.length ?? 0) > maxFieldLength);
  if (long) return failureOf('field_too_long', `The ${what} ${long.name} is longer than ${maxFieldLength} characters.`);
  const odd = known.find(({ name, accepts }) => given[name] && accepts && !accepts.test(given[name]));
  if (odd) return failureOf('field_malformed', `The ${what} ${odd.name} is not of its form: ${odd.hint}.`);
  return null;
}

/** By name; an empty text takes one away. */
export function mergeFields(before: Named, change: Named | undefined): Named {
  const merged = { ...before, ...change };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
}
