import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { type HeardHour, judgeSilence } from './silence.ts';

const hourMs = 3_600_000;
/** A Monday. */
const start = Date.UTC(2026, 0, 5);
const at = (day: number, hour: number, minute = 0) => new Date(start + ((day * 24 + hour) * 60 + minute) * 60_000);

type Pattern = (day: number, hour: number) => number;
const shop: Pattern = (day, hour) => (day % 7 < 6 && hour >= 9 && hour < 20 ? 2 : 0);
const busy: Pattern = () => 100;
const nights: Pattern = (_day, hour) => (hour >= 22 || hour < 4 ? 3 : 0);
const rare: Pattern = (day, hour) => (day % 3 === 0 && hour === 12 ? 1 : 0);
const withCampaign: Pattern = (day, hour) => (day === 2 && hour === 10 ? 10_000 : shop(day, hour));

/** What was heard from the first day up to `last`, by the pattern. */
function heardUntil(pattern: Pattern, last: Date): HeardHour[] {
  const count = Math.floor((last.getTime() - start) / hourMs) + 1;
  return Array.from({ length: count }, (_, index) => ({
    hour: new Date(start + index * hourMs),
    heard: pattern(Math.floor(index / 24), index % 24),
  }));
}

function judge(pattern: Pattern, last: Date, now: Date) {
  return judgeSilence({ hours: heardUntil(pattern, last), lastHeardAt: last, now });
}

describe('a number that has fallen silent', () => {
  it.each([
    ['a shop quiet all Wednesday morning', shop, at(30, 11), at(30, 19), 'silent'],
    ['a shop quiet for one hour', shop, at(30, 11), at(30, 12), 'normal'],
    ['a shop quiet overnight', shop, at(30, 19, 59), at(31, 9), 'normal'],
    ['a shop closed on Sunday', shop, at(33, 19, 59), at(35, 9), 'normal'],
    ['a shop that does not open on Monday', shop, at(33, 19, 59), at(35, 15), 'silent'],
    ['a busy number quiet for 25 minutes', busy, at(20, 10), at(20, 10, 25), 'normal'],
    ['a busy number quiet for 35 minutes', busy, at(20, 10), at(20, 10, 35), 'silent'],
    ['a number that works at night, quiet by day', nights, at(30, 3, 59), at(30, 21), 'normal'],
    ['a number that works at night, quiet for a night', nights, at(30, 3, 59), at(31, 4), 'silent'],
    ['in its second week, quiet for an afternoon', shop, at(8, 12), at(8, 19), 'normal'],
    ['in its second week, quiet for two days', shop, at(8, 9), at(10, 12), 'silent'],
    ['a week after a campaign, quiet for an hour at its time', withCampaign, at(9, 9, 59), at(9, 10, 59), 'normal'],
  ] as const)('%s', (_name, pattern, last, now, verdict) => {
    expect(judge(pattern, last, now)).toMatchObject({ kind: verdict });
  });

  it('says how long it has been quiet, and how unlikely that is', () => {
    const found = judge(shop, at(30, 11), at(30, 19));
    if (found.kind !== 'silent') throw new Error(found.kind);
    expect(found.quietMs).toBe(8 * hourMs);
    expect(found.chance).toBeLessThan(0.001);
  });
});

describe('no alarm', () => {
  it('in the learning week, however busy it was', () => {
    expect(judge(busy, at(1, 0), at(6, 23))).toEqual({ kind: 'learning', until: at(7, 0) });
    expect(judge(busy, at(1, 0), at(7, 1))).toMatchObject({ kind: 'silent' });
  });

  it('of a number that was never heard', () => {
    expect(judgeSilence({ hours: [], lastHeardAt: null, now: at(50, 0) })).toEqual({ kind: 'learning', until: null });
  });

  it('of a number from which too little comes to tell', () => {
    expect(judge(rare, at(30, 12), at(50, 0))).toEqual({ kind: 'sparse' });
  });

  it('of one whose clock is behind ours', () => {
    expect(judge(busy, at(20, 10), at(20, 9))).toMatchObject({ kind: 'normal', quietMs: 0, chance: 1 });
  });
});

const counts = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 200, maxLength: 600 });

describe('whatever was heard', () => {
  test.prop([counts, fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200 })])(
    'more quiet is never more likely, and a chance is between 0 and 1',
    (heard, quiet, more) => {
      const hours = heard.map((count, index) => ({ hour: new Date(start + index * hourMs), heard: count }));
      const lastHeardAt = new Date(start + heard.length * hourMs - 1);
      const chanceAfter = (hoursLater: number) => {
        const found = judgeSilence({ hours, lastHeardAt, now: new Date(lastHeardAt.getTime() + hoursLater * hourMs) });
        return 'chance' in found ? found.chance : 1;
      };
      const [sooner, later] = [chanceAfter(quiet), chanceAfter(quiet + more)];
      expect(later).toBeLessThanOrEqual(sooner);
      expect(later).toBeGreaterThanOrEqual(0);
      expect(sooner).toBeLessThanOrEqual(1);
    },
  );
});
