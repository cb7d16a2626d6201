/** Postgres takes no NUL and no half of a surrogate pair. A NUL is left out, a half becomes the replacement character. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? storableText(part) : part));
}
