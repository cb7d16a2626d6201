import { describe, expect, it } from 'vitest';
import { assessHealth, scoreOf } from './health.ts';
import type { HealthFacts } from './health-facts.ts';

const now = new Date('2026-03-01T12:00:00Z');
const before = (ms: number) => new Date(now.getTime() - ms);
const after = (ms: number) => new Date(now.getTime() + ms);
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Nothing is wrong with it. */
const well: HealthFacts = {
  provider: 'meta',
  isActive: true,
  status: 'connected',
  statusReason: null,
  lastActivityAt: before(minute),
  recentFailures: 0,
  day: { sent: 100, failed: 0, begun: 3, reconnects: 0, errors: [] },
  webhooks: { status: 'active', error: null, lastAt: before(minute), lagMs: 800, missing: [] },
  secrets: [{ name: 'accessToken', setAt: before(30 * day), endsAt: null }],
  told: { quality: null, restriction: null, dailyLimit: null },
};

describe('the score', () => {
  it.each([
    ['connected and lively', {}, 100],
    ['not connected', { status: 'disconnected' }, 50],
    ['connecting', { status: 'connecting' }, 50],
    ['in error', { status: 'error' }, 50],
    ['quiet for exactly an hour', { lastActivityAt: before(hour) }, 100],
    ['quiet for more than an hour', { lastActivityAt: before(hour + 1) }, 80],
    ['of which nothing has been heard yet', { lastActivityAt: null }, 100],
    ['with one failure', { recentFailures: 1 }, 90],
    ['with two failures', { recentFailures: 2 }, 80],
    ['with three failures', { recentFailures: 3 }, 70],
    ['with many failures', { recentFailures: 50 }, 70],
    ['quiet and failing', { lastActivityAt: before(2 * hour), recentFailures: 9 }, 50],
    ['disconnected and quiet', { status: 'disconnected', lastActivityAt: before(2 * hour) }, 30],
    ['as bad as can be', { status: 'error', lastActivityAt: before(day), recentFailures: 99 }, 0],
  ] as const)('of an account that is %s', (_name, facts, score) => {
    expect(scoreOf({ ...well, ...facts }, now)).toBe(score);
    expect(assessHealth({ ...well, ...facts }, now).score).toBe(score);
  });

  it.each([
    [{ recentFailures: 3 }, 70, true],
    [{ recentFailures: 2, lastActivityAt: before(2 * hour) }, 60, false],
    [{ status: 'disconnected' }, 50, false],
    [{}, 100, true],
  ] as const)('with %j is %d, and healthy: %s', (facts, score, isHealthy) => {
    expect(assessHealth({ ...well, ...facts }, now)).toMatchObject({ score, isHealthy });
  });

  it('is what the points of the signals leave of 100', () => {
    for (const facts of [{}, { status: 'error' as const }, { lastActivityAt: before(day), recentFailures: 2 }]) {
      const { score, signals } = assessHealth({ ...well, ...facts }, now);
      expect(score).toBe(100 - signals.reduce((sum, { points }) => sum + points, 0));
    }
  });
});

describe('the signals', () => {
  const found = (facts: Partial<HealthFacts>) =>
    assessHealth({ ...well, ...facts }, now)
      .signals.filter(({ level }) => level !== 'good')
      .map(({ code }) => code);
  const webhooks = (more: Partial<HealthFacts['webhooks']>) => ({ webhooks: { ...well.webhooks, ...more } });
  const ofDay = (more: Partial<HealthFacts['day']>) => ({ day: { ...well.day, ...more } });
  const told = (more: Partial<HealthFacts['told']>) => ({ told: { ...well.told, ...more } });
  const secret = (setAt: Date, endsAt: Date | null) => ({ secrets: [{ name: 'accessToken', setAt, endsAt }] });

  it.each<[string, Partial<HealthFacts>, string[]]>([
    ['nothing', {}, []],
    ['a phone that is to be linked', { status: 'connecting', provider: 'webjs' }, ['waits-for-phone']],
    ['a first webhook that is waited for', { status: 'connecting' }, ['waits-for-webhook']],
    ['a lost connection', { status: 'error', statusReason: 'logged out' }, ['connection-error']],
    ['a restriction', told({ restriction: { what: 'DISABLE', endsAt: null } }), ['restricted']],
    ['a restriction that is over', told({ restriction: { what: 'X', endsAt: before(1) } }), []],
    ['a flag', told({ quality: 'flagged' }), ['quality-flagged']],
    ['no flag', told({ quality: 'good' }), []],
    ['a quota that is nearly used', { ...told({ dailyLimit: 250 }), ...ofDay({ begun: 225 }) }, ['quota-low']],
    ['a used quota', { ...told({ dailyLimit: 250 }), ...ofDay({ begun: 251 }) }, ['quota-used']],
    ['much quota', told({ dailyLimit: 250 }), []],
    ['one failure in twenty', ofDay({ sent: 95, failed: 5, errors: [{ code: 'x', count: 5 }] }), ['error-mix']],
    ['failures of few sends', ofDay({ sent: 3, failed: 3 }), []],
    ['three connects', ofDay({ reconnects: 3 }), ['reconnects']],
    ['a loop', ofDay({ reconnects: 10 }), ['reconnect-loop']],
    ['a token that ends in 15 days', secret(before(day), after(15 * day)), []],
    ['a token that ends in 14 days', secret(before(day), after(14 * day)), ['secret-ends']],
    ['a token that has ended', secret(before(day), before(1)), ['secret-ended']],
    ['an old token', secret(before(366 * day), null), ['secret-old']],
    ['webhooks that never came', webhooks({ status: 'inactive', lastAt: null, lagMs: null }), ['webhook-inactive']],
    ['webhooks in error', webhooks({ status: 'error', error: 'signature' }), ['webhook-error']],
    ['events that are not sent', webhooks({ missing: ['messages'] }), ['events-missing']],
    ['late webhooks', webhooks({ lagMs: 61_000 }), ['webhook-lag']],
    ['silence', { ...webhooks({ lastAt: before(25 * hour) }), ...ofDay({ sent: 0 }) }, ['silent']],
    ['silence though we send', webhooks({ lastAt: before(25 * hour) }), ['no-receipts']],
    ['silence of an account that is switched off', { isActive: false, ...webhooks({ lastAt: before(25 * hour) }) }, []],
  ])('say of %s: %s', (_name, facts, codes) => {
    expect(found(facts)).toEqual(codes);
  });

  it('stand heaviest first, and each bad one has a next step', () => {
    const { signals } = assessHealth(
      { ...well, status: 'error', recentFailures: 1, ...told({ restriction: { what: 'X', endsAt: null } }) },
      now,
    );
    const weights = signals.map(({ weight }) => weight);
    expect(weights).toEqual(weights.toSorted((a, b) => b - a));
    for (const { level, nextStep } of signals) expect(nextStep === null).toBe(level === 'good');
  });
});
