import { instantOf, isObject, type JsonValue, numberAt } from '../reading/index.ts';

/**
 * A protobuf 64-bit integer as a number: a number, a string of digits, or `{low, high, unsigned}` (what `Long` becomes
 * in JSON). Undefined where it is none of these.
 */
export function longOf(value: JsonValue | undefined): number | undefined {
  if (!isObject(value)) return numberAt(value);
  const low = numberAt(value, 'low');
  if (low === undefined) return undefined;
  return (numberAt(value, 'high') ?? 0) * 2 ** 32 + (low >>> 0);
}

export function instantOfLong(value: JsonValue | undefined): string | null {
  return instantOf(longOf(value));
}
