/**
 * The gate for accounts on an unofficial client of WhatsApp (pure): a number that writes to strangers, much, all at once
 * and at night is barred.
 *
 * An answer to somebody who has written counts in the day's quota, and is held by it only where the account's own settings
 * name one; otherwise it is let through. What we begin (a
 * reminder, a campaign, a first word to a stranger) keeps the quiet hours too, and the lower quota of an account that is
 * still warming up. A stranger's number is looked up before the first word.
 */
import type { Failure } from '@switchyard/contract';
import type { Lane } from '../outbox.ts';
import { localTimeOf } from './local-time.ts';

export interface GateSettings {
  readonly dailyQuota: number;
  /** Only a quota that somebody has set holds answers too: a busy shop must not fall silent by a number of ours. */
  readonly holdsAnswers: boolean;
  /** null: no warm-up. */
  readonly warmUpDays: number | null;
  /** Minutes of the day, from and until; may go over midnight. null: none. */
  readonly quiet: { readonly from: number; readonly until: number } | null;
  readonly checksNumbers: boolean;
  readonly timeZone: string;
}

export const gateDefaults = {
  dailyQuota: 1_000,
  warmUpDays: 14,
  quiet: { from: 21 * 60, until: 8 * 60 },
  timeZone: 'UTC',
  /** So many may be begun on the first day. */
  firstDay: 20,
  /** A message that is held is looked at again by then, since settings may have changed. */
  maxHoldMs: 15 * 60_000,
} as const;

export interface GateMessage {
  readonly lane: Lane;
  /** Since the customer last wrote; null: never. */
  readonly inboundAgeMs: number | null;
}

export type GateVerdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'hold'; readonly waitMs: number; readonly reason: Failure };

export function gateSettingsOf(
  settings: Readonly<Record<string, string>>,
  workspaceTimeZone: string | null,
): GateSettings {
  const { dailyQuota, warmUp, quietHours, numberCheck, timeZone } = settings;
  return {
    dailyQuota: dailyQuota ? Number(dailyQuota) : gateDefaults.dailyQuota,
    holdsAnswers: Boolean(dailyQuota),
    warmUpDays: warmUp === 'off' ? null : warmUp ? Number(warmUp) : gateDefaults.warmUpDays,
    quiet: quietHours === 'off' ? null : (quietOf(quietHours) ?? gateDefaults.quiet),
    checksNumbers: numberCheck !== 'off',
    timeZone: timeZone || workspaceTimeZone || gateDefaults.timeZone,
  };
}

/** Do we begin, or answer? */
export function isBegun({ lane, inboundAgeMs }: GateMessage): boolean {
  return inboundAgeMs === null || lane === 'reminder' || lane === 'backlog' || lane === 'campaign';
}

/** A stranger's number is asked for; who has written is there. */
export function needsNumberCheck(message: GateMessage, settings: GateSettings): boolean {
  return settings.checksNumbers && message.inboundAgeMs === null;
}

/** How many a day: grows evenly from the first day's to the whole, and never beyond it. */
export function quotaOf(settings: GateSettings, ageDays: number, begins: boolean): number {
  const { dailyQuota, warmUpDays, holdsAnswers } = settings;
  if (!begins && !holdsAnswers) return Number.POSITIVE_INFINITY;
  if (!begins || warmUpDays === null || ageDays >= warmUpDays) return dailyQuota;
  const first = Math.min(gateDefaults.firstDay, dailyQuota);
  return Math.floor(first + ((dailyQuota - first) * Math.max(0, Math.floor(ageDays))) / warmUpDays);
}

export interface GateFacts {
  readonly settings: GateSettings;
  readonly ageDays: number;
  /** Messages that were let through today, by the account's own calendar. */
  readonly takenToday: number;
  readonly now: Date;
}

export function judge(message: GateMessage, facts: GateFacts): GateVerdict {
  const { settings, ageDays, takenToday, now } = facts;
  const begins = isBegun(message);
  const { minuteOfDay } = localTimeOf(now, settings.timeZone);
  if (begins && settings.quiet && isQuiet(minuteOfDay, settings.quiet)) {
    const minutes = (settings.quiet.until - minuteOfDay + dayMinutes) % dayMinutes;
    const night = { until: clockOf(settings.quiet.until), timeZone: settings.timeZone };
    const detail = `quiet hours until ${night.until} (${night.timeZone})`;
    return hold({ code: 'QuietHours', detail, facts: night }, minutes);
  }
  const quota = quotaOf(settings, ageDays, begins);
  if (takenToday < quota) return { kind: 'pass' };
  const isWarming = quota < settings.dailyQuota;
  const today = { quota, day: Math.floor(ageDays) + 1 };
  const detail = isWarming
    ? `warming up: ${quota} messages may be begun on day ${today.day} of this account`
    : `the day's quota of ${quota} messages is used up`;
  return hold({ code: isWarming ? 'WarmingUp' : 'QuotaUsedUp', detail, facts: today }, dayMinutes - minuteOfDay);
}

export function notOnWhatsApp(phone: string): Failure {
  return { code: 'NotOnWhatsApp', detail: `${phone} is not on WhatsApp`, retry: { kind: 'never' }, isCertain: true };
}

export const numberNotCheckedCode = 'NumberNotChecked';

/** Nobody could say in time; the look-up is repeated. `since`: an instant, in ISO 8601. */
export function numberNotChecked(since: string): Failure {
  return {
    code: numberNotCheckedCode,
    detail: 'The number could not be looked up yet: the provider does not answer.',
    retry: { kind: 'later' },
    isCertain: true,
    facts: { since },
  };
}

const dayMinutes = 24 * 60;

type Held = Required<Pick<Failure, 'code' | 'detail' | 'facts'>>;

function hold(reason: Held, minutes: number): GateVerdict {
  const waitMs = Math.min(gateDefaults.maxHoldMs, Math.max(1, minutes) * 60_000);
  return { kind: 'hold', waitMs, reason: { ...reason, retry: { kind: 'later' }, isCertain: true } };
}

function isQuiet(minute: number, { from, until }: { readonly from: number; readonly until: number }): boolean {
  return from <= until ? minute >= from && minute < until : minute >= from || minute < until;
}

function quietOf(text: string | undefined): GateSettings['quiet'] {
  const [, h1, m1, h2, m2] = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text ?? '') ?? [];
  if (h2 === undefined) return null;
  return { from: Number(h1) * 60 + Number(m1), until: Number(h2) * 60 + Number(m2) };
}

function clockOf(minute: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
