/**
 * JSON text that `jsonb` takes: Postgres refuses U+0000 and lone surrogates, which customers' texts may hold. Raw bytes
 * stay as they are in the delivery; only this copy is cleaned (NUL away, lone surrogates become U+FFFD).
 */
export function safeJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!text.includes('\\u0000') && !text.includes('\\ud')) return text;
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === 'string' ? cleanText(member) : member));
}

export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}
