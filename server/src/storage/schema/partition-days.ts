import { dayPartitionedTables } from './tables.ts';

/** A day of UTC, as its first millisecond since 1970. */
export type Day = number;

export const dayMs = 86_400_000;

export function dayOf(moment: Date): Day {
  return Math.floor(moment.getTime() / dayMs) * dayMs;
}

export function daysFrom(first: Date, count: number): Day[] {
  return Array.from({ length: count }, (_, index) => dayOf(first) + index * dayMs);
}

/** The smallest uuid whose first 48 bits are this millisecond: a day's partition begins there and ends before the next. */
export function firstIdOf(day: Day): string {
  const hex = Math.max(0, day).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** Such as `deliveries_d20261121`. */
export function partitionName(table: string, day: Day): string {
  return `${table}_d${new Date(day).toISOString().slice(0, 10).replaceAll('-', '')}`;
}

const nameShape = new RegExp(`^(?:${dayPartitionedTables.join('|')})_d(\\d{4})(\\d{2})(\\d{2})$`);

/** The day of a partition made by us; undefined for any other table. */
export function dayOfPartition(name: string): Day | undefined {
  const [, year, month, date] = nameShape.exec(name) ?? [];
  if (!year || !month || !date) return undefined;
  return Date.UTC(Number(year), Number(month) - 1, Number(date));
}

/** True for a day's partition and for its indexes and constraints, which come and go with the calendar. */
export function belongsToDayPartition(name: string): boolean {
  return new RegExp(`^(?:${dayPartitionedTables.join('|')})_d\\d{8}(?:_|$)`).test(name);
}
