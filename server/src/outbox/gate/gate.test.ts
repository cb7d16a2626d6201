import { describe, expect, it } from 'vitest';
import type { Lane } from '../outbox.ts';
import { gateSettingsOf, judge, needsNumberCheck, quotaOf } from './gate.ts';

const minute = 60_000;
const hour = 60 * minute;
const settings = (changes: Record<string, string> = {}) => gateSettingsOf(changes, null);

describe('settings', () => {
  it('are those of the account, else the workspace’s, else the usual', () => {
    expect(gateSettingsOf({}, null)).toEqual({
      dailyQuota: 1_000,
      holdsAnswers: false,
      warmUpDays: 14,
      quiet: { from: 1_260, until: 480 },
      checksNumbers: true,
      timeZone: 'UTC',
    });
    expect(gateSettingsOf({}, 'Asia/Tokyo').timeZone).toBe('Asia/Tokyo');
    const own = {
      dailyQuota: '50',
      warmUp: 'off',
      quietHours: '12:30-13:05',
      numberCheck: 'off',
      timeZone: 'Europe/Paris',
    };
    expect(gateSettingsOf(own, 'Asia/Tokyo')).toEqual({
      dailyQuota: 50,
      holdsAnswers: true,
      warmUpDays: null,
      quiet: { from: 750, until: 785 },
      checksNumbers: false,
      timeZone: 'Europe/Paris',
    });
    expect(settings({ quietHours: 'off' }).quiet).toBeNull();
  });
});

describe('the quota', () => {
  it.each([
    ['on the first day', 0.9, true, {}, 20],
    ['halfway', 7, true, {}, 510],
    ['on the last day of the warm-up', 13.5, true, {}, 930],
    ['after it', 14, true, {}, 1_000],
    ['of answers where none is set', 0, false, {}, Number.POSITIVE_INFINITY],
    ['of answers on the first day', 0, false, { dailyQuota: '1000' }, 1_000],
    ['without a warm-up', 0, true, { warmUp: 'off' }, 1_000],
    ['that is smaller than a first day', 0, true, { dailyQuota: '5' }, 5],
    ['of nothing', 30, false, { dailyQuota: '0' }, 0],
  ] as const)('%s', (_name, age, begins, changes, expected) => {
    expect(quotaOf(settings(changes), age, begins)).toBe(expected);
  });
});

interface Case {
  readonly lane?: Lane;
  readonly inboundAgeMs?: number | null;
  readonly changes?: Record<string, string>;
  readonly age?: number;
  readonly taken?: number;
  readonly now?: string;
}

const verdictOf = ({ lane = 'reply', inboundAgeMs = hour, changes = {}, age = 100, taken = 0, now = '12:00' }: Case) =>
  judge(
    { lane, inboundAgeMs },
    { settings: settings(changes), ageDays: age, takenToday: taken, now: new Date(`2026-06-15T${now}:00Z`) },
  );

describe('a message', () => {
  it.each<readonly [string, Case]>([
    ['that answers goes out at night', { now: '23:00' }],
    ['that answers goes out from an account made today', { age: 0, taken: 500 }],
    ['that we begin goes out by day', { lane: 'campaign' }],
    ['that we begin goes out at the minute when the quiet hours end', { lane: 'campaign', now: '08:00' }],
    [
      'that we begin goes out at night where no hours are quiet',
      { lane: 'reminder', now: '03:00', changes: { quietHours: 'off' } },
    ],
    [
      'that we begin goes out when it is day in the account’s zone',
      { lane: 'campaign', now: '23:30', changes: { timeZone: 'Asia/Tokyo' } },
    ],
    ['to a stranger goes out by day', { inboundAgeMs: null }],
    ['is the last of the day’s quota', { taken: 999, changes: { dailyQuota: '1000' } }],
    ['that answers goes out over a quota that nobody has set', { taken: 5_000 }],
  ])('%s', (_name, one) => {
    expect(verdictOf(one)).toEqual({ kind: 'pass' });
  });

  it.each<readonly [string, Case, string, number]>([
    [
      'that we begin waits for the end of the quiet hours',
      { lane: 'campaign', now: '07:50' },
      'QuietHours',
      10 * minute,
    ],
    ['to a stranger does', { inboundAgeMs: null, now: '07:59' }, 'QuietHours', minute],
    [
      'held at night is looked at every quarter of an hour',
      { lane: 'reminder', now: '21:00' },
      'QuietHours',
      15 * minute,
    ],
    [
      'is held by the clock of its zone',
      { lane: 'campaign', now: '12:00', changes: { timeZone: 'Asia/Tokyo' } },
      'QuietHours',
      15 * minute,
    ],
    [
      'over the quota waits, an answer too',
      { taken: 1_000, changes: { dailyQuota: '1000' } },
      'QuotaUsedUp',
      15 * minute,
    ],
    [
      'over the quota waits for the next day at most',
      { lane: 'campaign', taken: 1_000, now: '23:58', changes: { quietHours: 'off' } },
      'QuotaUsedUp',
      2 * minute,
    ],
    [
      'that we begin from a new account waits after the first few',
      { lane: 'campaign', age: 0, taken: 20 },
      'WarmingUp',
      15 * minute,
    ],
  ])('%s', (_name, one, code, waitMs) => {
    expect(verdictOf(one)).toMatchObject({ kind: 'hold', waitMs, reason: { code, isCertain: true } });
  });

  it('says in words why it is held', () => {
    const reasonOf = (one: Case) => {
      const verdict = verdictOf(one);
      return verdict.kind === 'hold' ? verdict.reason.detail : null;
    };
    const night = verdictOf({ lane: 'campaign', now: '22:00' });
    expect(night).toMatchObject({ reason: { facts: { until: '08:00', timeZone: 'UTC' } } });
    expect(reasonOf({ lane: 'campaign', now: '22:00' })).toBe('quiet hours until 08:00 (UTC)');
    expect(reasonOf({ lane: 'campaign', taken: 1_000 })).toBe("the day's quota of 1000 messages is used up");
    expect(reasonOf({ lane: 'campaign', age: 1.5, taken: 90 })).toMatch(/^warming up: 90 messages .* day 2/);
  });
});

it('asks about a number only where the customer has never written', () => {
  expect(needsNumberCheck({ lane: 'reply', inboundAgeMs: null }, settings())).toBe(true);
  expect(needsNumberCheck({ lane: 'campaign', inboundAgeMs: hour }, settings())).toBe(false);
  expect(needsNumberCheck({ lane: 'reply', inboundAgeMs: null }, settings({ numberCheck: 'off' }))).toBe(false);
});
