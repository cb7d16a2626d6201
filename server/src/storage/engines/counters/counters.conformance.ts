import { describe, expect, it } from 'vitest';
import { type EnginesUnderTest, eventually } from '../conformance.ts';
import { maxCounterKeyBytes } from './postgres-counters-store.ts';

export function countersConformance(under: EnginesUnderTest): void {
  describe(`counters on ${under.name}`, () => {
    it('count every addition once, from however many processes at once', async () => {
      const engines = [await under.open(), await under.open()];
      const totals = await Promise.all(
        Array.from({ length: 200 }, async (_, n) => {
          const { total } = await engines[n % 2]!.counters.add('rate:parallel', 1, 60_000);
          return total;
        }),
      );
      expect(totals.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
    });

    it('keep one total a key and take any whole amount', async () => {
      const { counters } = await under.open();
      await counters.add('rate:a', 5, 60_000);
      await counters.add('rate:b', 1, 60_000);
      expect(await counters.add('rate:a', -2, 60_000)).toMatchObject({ total: 3 });
      expect(await counters.add('rate:a', 0, 60_000)).toMatchObject({ total: 3 });
    });

    it('keep apart what is added in one go: many keys, and one of them twice', async () => {
      const { counters } = await under.open();
      const keys = ['z', 'a', 'm', 'a', 'b'];
      const sums = await Promise.all(keys.map((key, n) => counters.add(`rate:go:${key}`, n + 1, 60_000)));
      expect(sums.map(({ total }) => total)).toEqual([1, 2, 3, 6, 5]);
    });

    it('end the window at the time that its first addition set', async () => {
      const { counters } = await under.open();
      const first = await counters.add('rate:window', 1, 60_000);
      const second = await counters.add('rate:window', 1, 600_000);
      for (const { remainingMs } of [first, second]) {
        expect(remainingMs).toBeLessThanOrEqual(60_000);
        expect(remainingMs).toBeGreaterThan(50_000);
      }
      expect(second.remainingMs).toBeLessThanOrEqual(first.remainingMs);
    });

    it('begin anew after the window', async () => {
      const { counters } = await under.open();
      expect(await counters.add('rate:short', 5, 40)).toMatchObject({ total: 5 });
      await eventually(async () => expect(await counters.add('rate:short', 0, 60_000)).toMatchObject({ total: 0 }));
      const next = await counters.add('rate:short', 2, 60_000);
      expect(next.total).toBe(2);
      expect(next.remainingMs).toBeGreaterThan(50_000);
    });

    it('let one of many claim, and another after the window', async () => {
      const engines = [await under.open(), await under.open()];
      const claim = (n: number, windowMs: number) => engines[n % 2]!.counters.claimOnce('nonce', windowMs);
      const first = await Promise.all(Array.from({ length: 50 }, (_, n) => claim(n, 60_000)));
      expect(first.filter(Boolean)).toHaveLength(1);

      expect(await engines[0]!.counters.claimOnce('brief', 40)).toBe(true);
      const races: boolean[][] = [];
      await eventually(async () => {
        const race = Array.from({ length: 8 }, (_, n) => engines[n % 2]!.counters.claimOnce('brief', 60_000));
        races.push(await Promise.all(race));
        expect(races.at(-1)).toContain(true);
      });
      expect(races.flat().filter(Boolean)).toHaveLength(1);
    });

    it('keep claims and totals of one key apart', async () => {
      const { counters } = await under.open();
      await counters.add('same', 3, 60_000);
      expect(await counters.claimOnce('same', 60_000)).toBe(true);
      expect(await counters.claimOnce('same', 60_000)).toBe(false);
      expect(await counters.add('same', 1, 60_000)).toMatchObject({ total: 4 });
    });

    it.each([
      ['an empty key', '', 1, 1_000],
      ['a key that is too long', 'é'.repeat(maxCounterKeyBytes / 2 + 1), 1, 1_000],
      ['NUL in a key', 'a\0b', 1, 1_000],
      ['half an amount', 'a', 0.5, 1_000],
      ['no window', 'a', 1, 0],
    ])('refuse %s', async (_case, key, amount, windowMs) => {
      const { counters } = await under.open();
      await expect(counters.add(key, amount, windowMs)).rejects.toThrow('broken promise');
    });
  });
}
