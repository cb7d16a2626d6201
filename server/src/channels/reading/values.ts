/**
 * Typed readers for parsed JSON. Each takes a value and the names on the way down, follows own members only, and gives
 * `undefined` (or an empty list) where something is absent, null or of another type: a provider's slip in one member
 * must not cost the message.
 */
import type { JsonObject, JsonValue } from './json.ts';

type Name = string | number;

/** The value at the end of the path; null counts as absent. */
export function valueAt(value: JsonValue | undefined, ...path: readonly Name[]): JsonValue | undefined {
  let current = value;
  for (const name of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return undefined;
    current = (current as Record<Name, JsonValue>)[name];
  }
  return current ?? undefined;
}

export function objectAt(value: JsonValue | undefined, ...path: readonly Name[]): JsonObject | undefined {
  const found = valueAt(value, ...path);
  return isObject(found) ? found : undefined;
}

/** Empty where absent or not an array. */
export function arrayAt(value: JsonValue | undefined, ...path: readonly Name[]): readonly JsonValue[] {
  const found = valueAt(value, ...path);
  return isArray(found) ? found : [];
}

/** A string as it stands, the empty one included. */
export function textAt(value: JsonValue | undefined, ...path: readonly Name[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** A string that says something, or a number as text: ids come as either. */
export function idAt(value: JsonValue | undefined, ...path: readonly Name[]): string | undefined {
  const found = valueAt(value, ...path);
  if (typeof found === 'number') return String(found);
  return typeof found === 'string' && found.trim() !== '' ? found : undefined;
}

/** A finite number, or a string that is one. */
export function numberAt(value: JsonValue | undefined, ...path: readonly Name[]): number | undefined {
  const found = valueAt(value, ...path);
  const number = typeof found === 'string' && found.trim() !== '' ? Number(found) : found;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** True only for `true`: a flag that is absent or odd is not set. */
export function flagAt(value: JsonValue | undefined, ...path: readonly Name[]): boolean {
  return valueAt(value, ...path) === true;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
