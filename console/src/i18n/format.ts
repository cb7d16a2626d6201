/** Times and numbers for people, in the chosen language. */
import { useNow } from '@vueuse/core';
import { computed } from 'vue';
import { languageFacts } from './index.ts';

/** One clock for the whole page: a thousand rows must not have a thousand timers. */
const now = useNow({ interval: 5_000 });

const steps = [
  { unit: 'second', seconds: 1, below: 60 },
  { unit: 'minute', seconds: 60, below: 3_600 },
  { unit: 'hour', seconds: 3_600, below: 86_400 },
  { unit: 'day', seconds: 86_400, below: 2_592_000 },
  { unit: 'month', seconds: 2_592_000, below: 31_536_000 },
  { unit: 'year', seconds: 31_536_000, below: Number.POSITIVE_INFINITY },
] as const;

const intl = computed(() => languageFacts.value.intl);
const relative = computed(() => new Intl.RelativeTimeFormat(intl.value, { numeric: 'auto', style: 'short' }));
const exact = computed(() => new Intl.DateTimeFormat(intl.value, { dateStyle: 'medium', timeStyle: 'medium' }));
const clock = computed(() => new Intl.DateTimeFormat(intl.value, { timeStyle: 'short' }));
const day = computed(() => new Intl.DateTimeFormat(intl.value, { dateStyle: 'full' }));
const number = computed(() => new Intl.NumberFormat(intl.value, { maximumFractionDigits: 1 }));
const percent = computed(() => new Intl.NumberFormat(intl.value, { style: 'percent', maximumFractionDigits: 1 }));

export function agoOf(instant: string): string {
  const seconds = (new Date(instant).getTime() - now.value.getTime()) / 1_000;
  // Clocks differ by a little: what has just come is not in the future.
  const distance = Math.abs(seconds) < 5 ? 0 : Math.abs(seconds);
  const step = steps.find(({ below }) => distance < below) ?? steps[5];
  return relative.value.format(Math.sign(seconds) * Math.floor(distance / step.seconds), step.unit);
}

export const exactTime = (instant: string): string => exact.value.format(new Date(instant));
export const clockTime = (instant: string): string => clock.value.format(new Date(instant));
/** Formatters are slow to make: one for each language and zone that is looked at. */
const zoned = new Map<string, Intl.DateTimeFormat>();

const zonedStyles = {
  hour: { timeStyle: 'short' },
  day: { day: 'numeric', month: 'short' },
  date: { dateStyle: 'medium' },
  month: { month: 'long', year: 'numeric' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

function inZone(instant: string, style: keyof typeof zonedStyles, timeZone: string): string {
  const key = `${intl.value} ${style} ${timeZone}`;
  const format = zoned.get(key) ?? new Intl.DateTimeFormat(intl.value, { ...zonedStyles[style], timeZone });
  zoned.set(key, format);
  return format.format(new Date(instant));
}

/** The hour or the day that begins then, by the calendar of that zone. */
export const bucketName = (instant: string, by: 'hour' | 'day', timeZone: string): string =>
  inZone(instant, by, timeZone);
export const dayName = (instant: string, timeZone: string): string => inZone(instant, 'date', timeZone);
export const monthName = (instant: string, timeZone: string): string => inZone(instant, 'month', timeZone);

const list = computed(() => new Intl.ListFormat(intl.value, { type: 'conjunction' }));
export const formatList = (words: readonly string[]): string => list.value.format(words);

export const formatNumber = (value: number): string => number.value.format(value);

/** null: there is nothing to count. */
export const formatCount = (value: number | null): string => (value === null ? '–' : formatNumber(value));

/** Of a share of 1. */
export const formatPercent = (share: number): string => percent.value.format(share);

/** Today and yesterday by name, earlier days in full. */
export function dayOf(instant: string): string {
  const date = new Date(instant);
  const days = Math.round((midnight(date) - midnight(now.value)) / 86_400_000);
  if (days < -1 || days > 0) return day.value.format(date);
  return new Intl.RelativeTimeFormat(intl.value, { numeric: 'auto' }).format(days, 'day');
}

export const dayKey = (instant: string): number => midnight(new Date(instant));

function midnight(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/**
 * In the unit of which there are two at least, but for milliseconds, seconds and days. The signs of units are Latin: among
 * words from right to left they are kept behind their number.
 */
export function formatDuration(milliseconds: number): string {
  const text = durationOf(milliseconds);
  return languageFacts.value.dir === 'rtl' ? `\u2066${text}\u2069` : text;
}

function durationOf(milliseconds: number): string {
  const size = Math.abs(milliseconds);
  if (size < 1_000) return `${formatNumber(milliseconds)} ms`;
  if (size < 120_000) return `${formatNumber(milliseconds / 1_000)} s`;
  if (size < 7_200_000) return `${formatNumber(milliseconds / 60_000)} min`;
  if (size < 172_800_000) return `${formatNumber(milliseconds / 3_600_000)} h`;
  return `${formatNumber(milliseconds / 86_400_000)} d`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${formatNumber(bytes)} B`;
  return bytes < 1_048_576 ? `${formatNumber(bytes / 1_024)} KiB` : `${formatNumber(bytes / 1_048_576)} MiB`;
}
