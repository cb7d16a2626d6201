import { dayInZone, startOfDay } from '@switchyard/contract';
import { expect, it } from 'vitest';

/** Ahead of and behind UTC, with half hours, on days of 23 and 25 hours, and where midnight itself is left out. */
const days = [
  ['UTC', '2026-12-24', '2026-12-24T00:00:00.000Z'],
  ['Europe/Madrid', '2026-12-24', '2026-12-23T23:00:00.000Z'],
  ['America/New_York', '2026-12-24', '2026-12-24T05:00:00.000Z'],
  ['Asia/Kolkata', '2026-12-24', '2026-12-23T18:30:00.000Z'],
  ['Pacific/Kiritimati', '2026-12-24', '2026-12-23T10:00:00.000Z'],
  ['Europe/Madrid', '2026-03-29', '2026-03-28T23:00:00.000Z'],
  ['Europe/Madrid', '2026-10-25', '2026-10-24T22:00:00.000Z'],
  ['Europe/Madrid', '2026-10-26', '2026-10-25T23:00:00.000Z'],
  ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z'],
] as const;

it.each(days)('a day of %s, %s, begins at %s', (timeZone, day, instant) => {
  expect(startOfDay(day, timeZone)).toBe(instant);
  expect(dayInZone(instant, timeZone)).toBe(day);
});
