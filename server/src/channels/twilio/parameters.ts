import { done, type Result, refused } from '#kernel';
import type { NormaliseInput } from '../channel.ts';
import { cleanText, isArray, isObject, parseJson } from '../reading/index.ts';
import { type FormFields, parseForm, parseQuery } from './form.ts';

/** Twilio's parameters by name; of a repeated name the first value. An empty value is absent to `read`. */
export interface Parameters {
  read(name: string): string | undefined;
  readonly names: readonly string[];
}

const openBrace = 123;
const openBracket = 91;

/**
 * Form in the body; in the URL when the webhook was set to GET; or a flat JSON object (webhooks signed by
 * `bodySHA256`). Refuses with a reason what is none of them; never throws.
 */
export function parseParameters(input: NormaliseInput): Result<Parameters, string> {
  const first = input.body.find((byte) => byte > 32);
  if (first === undefined) return fromFields(parseQuery(input.target));
  if (first === openBrace || first === openBracket) return fromJson(input.body);
  return fromFields(parseForm(input.body));
}

function fromFields(fields: FormFields | null): Result<Parameters, string> {
  if (!fields) return refused('the form holds too many parameters');
  const values = new Map<string, string>();
  for (const [name, value] of fields) if (!values.has(name)) values.set(name, cleanText(value));
  return done(parametersOf(values));
}

function fromJson(body: Uint8Array): Result<Parameters, string> {
  const parsed = parseJson(body);
  if (!parsed.ok) return parsed;
  if (isArray(parsed.value)) return refused('a list of events is not a message webhook');
  if (!isObject(parsed.value)) return refused('the body is no JSON object');
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(parsed.value)) {
    if (typeof value === 'string' || typeof value === 'number') values.set(name, String(value));
  }
  return done(parametersOf(values));
}

function parametersOf(values: ReadonlyMap<string, string>): Parameters {
  return { read: (name) => values.get(name) || undefined, names: [...values.keys()] };
}
