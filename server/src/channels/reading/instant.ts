import type { JsonValue } from './json.ts';

/** Below this a number counts seconds, from here on milliseconds: 10^12 ms is 2001, 10^12 s is the year 33658. */
const firstMillisecondsValue = 1e12;
/** The last millisecond of the year 9999: later ones have no four-digit ISO year. */
const lastInstantMs = 253_402_300_799_999;
const zonedIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/**
 * A provider's time as ISO 8601 UTC: a number or numeric string (seconds or milliseconds by size, fractions allowed), or
 * an ISO string that names its zone. Null where there is none, or where it is no time (zero, negative, absurd).
 */
export function instantOf(value: JsonValue | undefined): string | null {
  if (typeof value === 'number') return instantOfNumber(value);
  if (typeof value !== 'string') return null;
  const text = value.trim();
  if (zonedIso.test(text)) return instantOfMillis(Date.parse(text));
  return /^\d+(\.\d+)?$/.test(text) ? instantOfNumber(Number(text)) : null;
}

function instantOfNumber(value: number): string | null {
  return instantOfMillis(value < firstMillisecondsValue ? value * 1_000 : value);
}

function instantOfMillis(millis: number): string | null {
  if (!(millis > 0 && millis <= lastInstantMs)) return null;
  return new Date(Math.floor(millis)).toISOString();
}
