/** Reading what strangers sent: each reader gives a typed value or says which field was wrong. */
export type Fields = Readonly<Record<string, unknown>>;

/** A request that does not have the form its reader needs. Answered as 400 (control) or as the provider would. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function fieldsOf(value: unknown, name: string): Fields {
  if (!isFields(value)) throw new BadRequest(`${name} must be an object`);
  return value;
}

export function optionalFields(value: unknown, name: string): Fields {
  return value === undefined || value === null ? {} : fieldsOf(value, name);
}

export function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') throw new BadRequest(`${name} must be a text`);
  return value;
}

export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new BadRequest(`${name} must be a text`);
  return value;
}

export function optionalNumber(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new BadRequest(`${name} must be a number`);
  return value;
}

export function optionalFlag(fields: Fields, name: string): boolean | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw new BadRequest(`${name} must be true or false`);
  return value;
}

export function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new BadRequest(`${name} must be a list`);
  return value;
}

/** A text or a number as text; anything else is no words at all. */
export function wordsOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** An object whose values are all texts. */
export function textMap(value: unknown, name: string): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [key, text] of Object.entries(optionalFields(value, name))) {
    if (text === undefined || text === null) continue;
    if (typeof text !== 'string') throw new BadRequest(`${name}.${key} must be a text`);
    texts[key] = text;
  }
  return texts;
}

export function oneOf<T extends string>(value: unknown, allowed: readonly T[], name: string): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw new BadRequest(`${name} must be one of ${allowed.join(', ')}`);
  return found;
}

/** JSON, or undefined where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
