/** A day of a calendar as people write it in a form, `2026-12-24`, and the instant at which it begins in a time zone. */

export function dayInZone(instant: string, timeZone: string): string {
  const { year, month, day } = partsOf(new Date(instant), timeZone);
  return `${year}-${month}-${day}`;
}

/** ISO 8601, UTC. Where a day begins at one, since the clocks were put forward at midnight, it is one. */
export function startOfDay(day: string, timeZone: string): string {
  const wall = Date.parse(`${day}T00:00:00Z`);
  // What the clocks show is by how much they are off; near a change of theirs the second look is right.
  const first = wall - offsetMs(wall, timeZone);
  return new Date(wall - offsetMs(first, timeZone)).toISOString();
}

function offsetMs(at: number, timeZone: string): number {
  const { year, month, day, hour, minute, second } = partsOf(new Date(at), timeZone);
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - Math.floor(at / 1_000) * 1_000;
}

const two = '2-digit';
const names = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const;
type Parts = Readonly<Record<keyof typeof names, string>>;

function partsOf(at: Date, timeZone: string): Parts {
  const format = new Intl.DateTimeFormat('en', { ...names, timeZone, calendar: 'gregory', hourCycle: 'h23' });
  return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value])) as Parts;
}
