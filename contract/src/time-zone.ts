/** Names of time zones, as IANA lists them: `Europe/Madrid`. Offsets (`+02:00`) are none: Postgres reads their sign the other way round. */

export const defaultTimeZone = 'UTC';
export const maxTimeZoneLength = 60;

export function isTimeZone(name: string): boolean {
  if (name.length > maxTimeZoneLength || !/^[A-Z][\w+-]*(?:\/[\w+-]+)*$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
