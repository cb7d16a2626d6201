/**
 * Untrusted JSON to a clean value. Providers' bodies are hostile until proven otherwise: depth and size are bounded by a
 * scan that does not recurse, before `JSON.parse` is let near them.
 */
import { done, type Result, refused } from '#kernel';
import { scanJson } from './scan.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** Real deliveries nest about 15 deep; V8 parses 100,000 but everything that walks the result would overflow. */
export const maxJsonDepth = 128;
/** Values, names not counted. A full batch of 1,000 updates holds about 30,000. */
export const maxJsonValues = 500_000;

const replacement = '\uFFFD';
/** Exactly invalid bytes become U+FFFD; a byte order mark is dropped. */
const decoder = new TextDecoder('utf-8');

/**
 * Promises a value in which every string is well-formed and free of NUL, integers beyond 2^53 are their own digits as a
 * string (ids must not lose digits), and no object has a member `__proto__`. The raw bytes are not touched: only this
 * copy is cleaned. Refuses, with a reason for people, what is no JSON, too deep or too large; never throws.
 */
export function parseJson(body: Uint8Array): Result<JsonValue, string> {
  return parseJsonText(decoder.decode(body));
}

/** The same for text, such as JSON inside a JSON string. */
export function parseJsonText(text: string): Result<JsonValue, string> {
  const scan = scanJson(text);
  if (scan.depth > maxJsonDepth) return refused(`JSON is nested deeper than ${maxJsonDepth}`);
  if (scan.values > maxJsonValues) return refused(`JSON holds more than ${maxJsonValues} values`);
  try {
    const parsed: unknown = scan.hasLongNumber ? JSON.parse(text, keepBigIntegers) : JSON.parse(text);
    return done(cleaned(parsed));
  } catch (error) {
    // Only JSON.parse can throw here, and its message may quote the body: a person's words stay out of reasons.
    if (!(error instanceof SyntaxError)) throw error;
    return refused(text.trim() === '' ? 'the body is empty' : 'the body is not JSON');
  }
}

function keepBigIntegers(_name: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? source : value;
}

function cleaned(value: unknown): JsonValue {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  const copy: Record<string, JsonValue> = {};
  for (const [name, member] of Object.entries(value)) {
    if (name === '__proto__') continue;
    const cleanName = cleanText(name);
    copy[cleanName] = cleaned(member);
  }
  return copy;
}

/** NUL, which Postgres refuses in text, and lone surrogates, which have no UTF-8, become U+FFFD. */
export function cleanText(text: string): string {
  const wellFormed = text.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', replacement) : wellFormed;
}
