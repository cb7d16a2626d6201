import { describe, expect, it } from 'vitest';
import { fixedClock } from '#kernel';
import type { CacheOptions, Engines } from '../../engines.ts';
import { type EnginesUnderTest, eventually, gate } from '../conformance.ts';

/** A store that counts what is loaded from it. */
function shop(entries: Record<string, string> = {}) {
  const rows = new Map(Object.entries(entries));
  const loads: string[] = [];
  const options: CacheOptions<string> = {
    name: 'shop',
    maxEntries: 100,
    ttlMs: 60_000,
    negativeTtlMs: 5_000,
    load: async (key) => {
      loads.push(key);
      return rows.get(key) ?? null;
    },
  };
  return { rows, loads, options, cacheOf: (engines: Engines) => engines.cache(options) };
}

export function cacheConformance(under: EnginesUnderTest): void {
  describe(`the cache on ${under.name}`, () => {
    it('loads a key once for all who ask at once, and then holds it', async () => {
      const { loads, cacheOf } = shop({ a: 'A' });
      const cache = cacheOf(await under.open());
      const answers = await Promise.all(Array.from({ length: 50 }, () => cache.get('a')));
      expect(new Set(answers.map(({ value }) => value))).toEqual(new Set(['A']));
      expect(await cache.get('a')).toEqual({ value: 'A', outcome: 'hit' });
      expect(loads).toEqual(['a']);
    });

    it('tells a load, a hit and a known absence apart, and peeks without waiting', async () => {
      const { loads, cacheOf } = shop({ a: 'A' });
      const cache = cacheOf(await under.open());
      expect(cache.peek('a')).toBeUndefined();
      expect(await cache.get('a')).toEqual({ value: 'A', outcome: 'miss' });
      expect(cache.peek('a')).toBe('A');
      expect(await cache.get('none')).toEqual({ value: null, outcome: 'miss' });
      expect(await cache.get('none')).toEqual({ value: null, outcome: 'negative' });
      expect(cache.peek('none')).toBeNull();
      expect(loads).toEqual(['a', 'none']);
    });

    it('forgets an absence sooner than a value, each a little before its time', async () => {
      const clock = fixedClock('2026-01-01T00:00:00Z');
      const { loads, cacheOf } = shop({ a: 'A' });
      const cache = cacheOf(await under.open({ clock, random: () => 0.5 }));
      await cache.get('a');
      await cache.get('none');
      clock.advanceMs(4_750);
      expect([cache.peek('a'), cache.peek('none')]).toEqual(['A', null]);
      clock.advanceMs(1);
      expect([cache.peek('a'), cache.peek('none')]).toEqual(['A', undefined]);
      clock.advanceMs(52_249);
      expect(cache.peek('a')).toBe('A');
      clock.advanceMs(1);
      expect(cache.peek('a')).toBeUndefined();
      await cache.get('a');
      expect(loads).toEqual(['a', 'none', 'a']);
    });

    it('forgets in every process what one invalidates', async () => {
      const { rows, cacheOf } = shop({ a: 'old', b: 'B' });
      const [one, two] = [cacheOf(await under.open()), cacheOf(await under.open())];
      await Promise.all([one.get('a'), two.get('a'), two.get('b')]);
      rows.set('a', 'new');
      await one.invalidate('a');
      expect(one.peek('a')).toBeUndefined();
      await eventually(() => expect(two.peek('a')).toBeUndefined());
      expect(two.peek('b')).toBe('B');
      expect((await two.get('a')).value).toBe('new');
    });

    it('forgets an absence too when it is invalidated', async () => {
      const { rows, cacheOf } = shop();
      const [one, two] = [cacheOf(await under.open()), cacheOf(await under.open())];
      await two.get('born');
      rows.set('born', 'here');
      await one.invalidate('born');
      await eventually(async () => expect((await two.get('born')).value).toBe('here'));
    });

    it.each(['the same process', 'another process'])(
      'does not keep what was being loaded when %s invalidated it',
      async (who) => {
        const { rows, options, cacheOf } = shop({ a: 'old' });
        const [engines, others] = [await under.open(), await under.open()];
        const { opened, open } = gate();
        const reached = gate();
        const slow = engines.cache<string>({
          ...options,
          async load(key) {
            const value = rows.get(key) ?? null;
            reached.open();
            if (value === 'old') await opened;
            return value;
          },
        });
        const before = slow.get('a');
        await reached.opened;
        rows.set('a', 'new');
        const invalidated = gate();
        await engines.doorbell.listen('cache:shop', () => invalidated.open());
        await (who === 'the same process' ? slow : cacheOf(others)).invalidate('a');
        await invalidated.opened;
        const after = await slow.get('a');
        open();
        expect((await before).value).toBe('old');
        expect(after.value).toBe('new');
        expect(slow.peek('a')).toBe('new');
        expect((await slow.get('a')).value).toBe('new');
      },
    );

    it('gives a failed load to all who wait and keeps nothing of it', async () => {
      const { options } = shop();
      let loads = 0;
      const cache = (await under.open()).cache<string>({
        ...options,
        async load() {
          loads += 1;
          if (loads === 1) throw new Error('the database is away');
          return 'A';
        },
      });
      const first = await Promise.allSettled([cache.get('a'), cache.get('a')]);
      expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect(cache.peek('a')).toBeUndefined();
      expect(await cache.get('a')).toEqual({ value: 'A', outcome: 'miss' });
    });

    it('holds absences apart: however many, they drive out no value', async () => {
      const { options, cacheOf } = shop({ a: 'A' });
      Object.assign(options, { maxEntries: 3, maxAbsences: 2 });
      const cache = cacheOf(await under.open());
      await cache.get('a');
      for (const key of ['b', 'c', 'd', 'e']) await cache.get(key);
      expect(['a', 'b', 'c', 'd', 'e'].map((key) => cache.peek(key))).toEqual(['A', undefined, undefined, null, null]);
    });

    it('forgets everything after a gap of the doorbell', async () => {
      const { rows, cacheOf } = shop({ a: 'old' });
      const cache = cacheOf(await under.open());
      await cache.get('a');
      rows.set('a', 'new');
      await under.cutDoorbell(0);
      await eventually(() => expect(cache.peek('a')).toBeUndefined());
      expect((await cache.get('a')).value).toBe('new');
    });

    it('holds no more than its greatest number of entries', async () => {
      const { options, rows } = shop();
      const cache = (await under.open()).cache<string>({ ...options, maxEntries: 3 });
      for (const key of ['a', 'b', 'c', 'd']) {
        rows.set(key, key);
        await cache.get(key);
      }
      expect(['a', 'b', 'c', 'd'].map((key) => cache.peek(key))).toEqual([undefined, 'b', 'c', 'd']);
    });
  });
}
