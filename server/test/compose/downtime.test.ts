/** A gap in which nobody took webhooks is seen by the next start, however the last one ended. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reconcileLimits, type Span } from '#inbox';
import { silentLog } from '#kernel';
import { watchDowntime } from '../../src/compose/upkeep/downtime.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

async function start(): Promise<readonly Span[]> {
  const gaps: Span[] = [];
  const watch = watchDowntime({ storage: db.storage, log: silentLog, gap: async (span) => void gaps.push(span) });
  await watch.first;
  watch.stop();
  return gaps;
}

const lastAlive = (ago: string) =>
  db.ownerQuery(`UPDATE upkeep_marks SET at = now() - $1::interval WHERE name = 'gateway alive'`, [ago]);

test('the first start of all, and one soon after the last sign of life, tell of none', async () => {
  expect(await start()).toEqual([]);
  await lastAlive('90 seconds');
  expect(await start()).toEqual([]);
});

test('a longer one is told with what came shortly before it, and only once', async () => {
  await lastAlive('1 hour');
  const [gap, ...others] = await start();
  expect(others).toEqual([]);
  const hourMs = 3_600_000;
  const seconds = (ms: number) => Math.round(ms / 1_000);
  expect(seconds(gap!.until.getTime() - gap!.from.getTime())).toBe(seconds(hourMs + reconcileLimits.overlapMs));
  expect(await start()).toEqual([]);
});

test('one of months is cut to what may be asked for', async () => {
  await lastAlive('200 days');
  const [gap] = await start();
  expect((gap!.until.getTime() - gap!.from.getTime()) / 86_400_000).toBe(reconcileLimits.maxSpanDays);
});
