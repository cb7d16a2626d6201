/**
 * Text that Postgres can hold: no NUL (`text` and `jsonb` refuse it) and no half of a surrogate pair (`jsonb` refuses it).
 * Either becomes U+FFFD; the delivery keeps the bytes as they came.
 */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD');
}

/** A value as JSON that `jsonb` takes. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  return hasUnstorable(json) ? JSON.stringify(value, cleaned) : json;
}

/** JSON.stringify escapes both kinds, so the common case costs one search. */
function hasUnstorable(json: string): boolean {
  return /\\u(?:0000|d[89a-f])/i.test(json);
}

function cleaned(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storableText(key), inner]));
}
