/** A gap in which nobody took webhooks is owed to every account that can be asked for, however it came about. */
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { reconcileLimits } from '#inbox';
import { silentLog } from '#kernel';
import { writeAbsence } from '#monitoring';
import { watchDowntime } from '../../src/compose/upkeep/downtime.ts';
import { askable } from '../../src/compose/upkeep/looks.ts';
import { type InboxWorld, openInboxWorld, type Shop } from '../inbox/world.ts';

const hourMs = 3_600_000;

let world: InboxWorld;
let shop: Shop;
beforeAll(async () => {
  world = await openInboxWorld();
  shop = await world.shop();
  const settings = { instance: 'norte', version: 'v2' };
  const connected = { provider: 'evolution', settings, secrets: { apiKey: 'key' }, isActive: true } as const;
  shop = { ...shop, accountId: await world.connect(shop.workspaceId, connected) };
  await world.connect(shop.workspaceId, { ...connected, settings: { ...settings, instance: 'off' }, isActive: false });
});
beforeEach(() => world.db.ownerQuery('DELETE FROM owed_looks'));
afterAll(() => world.close());

function watch(begin = vi.fn(async () => {})) {
  const downtime = watchDowntime({ storage: world.db.storage, log: silentLog, askable, begin });
  return { ...downtime, begin };
}

interface Owed extends Record<string, unknown> {
  readonly account: string;
  readonly from: Date;
  readonly until: Date;
}

const owed = () =>
  world.db.ownerQuery<Owed>(
    `SELECT account_id AS account, wanted_from AS "from", wanted_until AS until FROM owed_looks WHERE due_at <= now()`,
  );

const lastAlive = (ago: string) =>
  world.db.ownerQuery(`UPDATE upkeep_marks SET at = now() - $1::interval WHERE name = 'gateway alive'`, [ago]);

const hours = ({ from, until }: Owed) => Math.round((until.getTime() - from.getTime()) / 36_000) / 100;
const overlapHours = Math.round((reconcileLimits.overlapMs / hourMs) * 100) / 100;

test('the first start of all, and one soon after the last sign of life, owe nothing', async () => {
  for (const ago of [null, '90 seconds']) {
    if (ago) await lastAlive(ago);
    const { first, stop, begin } = watch();
    await first;
    stop();
    expect(begin).not.toHaveBeenCalled();
  }
  expect(await owed()).toEqual([]);
});

test('a longer one owes a look with what came shortly before it, to accounts that are on and can be asked, once', async () => {
  await lastAlive('1 hour');
  const started = [watch(), watch()];
  await Promise.all(started.map(({ first }) => first));
  for (const { stop } of started) stop();
  const [look, ...others] = await owed();
  expect([look?.account, others]).toEqual([shop.accountId, []]);
  expect(hours(look!)).toBe(1 + overlapHours);
  expect(started.filter(({ begin }) => begin.mock.calls.length > 0)).toHaveLength(1);
});

test('one of months is cut to what may be asked for', async () => {
  await lastAlive('200 days');
  const { first, stop } = watch();
  await first;
  stop();
  expect(hours((await owed())[0]!)).toBe(reconcileLimits.maxSpanDays * 24);
});

test('one without a restart is seen too: the database was away for hours', async () => {
  const { first, sign, stop } = watch();
  await first;
  expect(await owed()).toEqual([]);
  await lastAlive('5 hours');
  await sign();
  stop();
  expect((await owed()).map(hours)).toEqual([5 + overlapHours]);
});

test('is owed though the workers cannot be told, and stays so until it is had', async () => {
  await lastAlive('3 hours');
  const { first, sign, stop, begin } = watch(vi.fn(() => Promise.reject(new Error('Redis is away'))));
  await first;
  await sign();
  stop();
  expect(begin).toHaveBeenCalledOnce();
  expect((await owed()).map(hours)).toEqual([3 + overlapHours]);
});

test('is not forgotten when it cannot be written down: the sign of life does not move without it', async () => {
  await lastAlive('4 hours');
  await world.db.ownerQuery('ALTER TABLE owed_looks RENAME TO owed_looks_away');
  const { first, sign, stop } = watch();
  await first;
  await world.db.ownerQuery('ALTER TABLE owed_looks_away RENAME TO owed_looks');
  await sign();
  stop();
  expect((await owed()).map(hours)).toEqual([4 + overlapHours]);
});

test('is noted as it was, with the looks that it owes', async () => {
  const noted: number[] = [];
  await lastAlive('3 hours');
  const downtime = watchDowntime({
    ...{ storage: world.db.storage, log: silentLog, askable, begin: async () => {} },
    noteAbsence: async (tx, from, until) => {
      await writeAbsence(tx, from, until);
      noted.push(until.getTime() - from.getTime());
    },
  });
  await downtime.first;
  downtime.stop();
  expect(noted.map((ms) => Math.round(ms / hourMs))).toEqual([3]);
  const gaps = await world.db.ownerQuery('SELECT reasons, is_over AS "isOver", is_told AS "isTold" FROM refusals');
  expect(gaps).toEqual([{ reasons: ['away'], isOver: true, isTold: false }]);
});

test('a second gap before the first was asked for widens it', async () => {
  await lastAlive('2 hours');
  const { first, sign, stop } = watch();
  await first;
  await world.db.ownerQuery(`UPDATE owed_looks SET wanted_from = wanted_from - interval '5 hours',
    wanted_until = wanted_until - interval '5 hours', tries = 6, due_at = now() + interval '1 hour'`);
  await lastAlive('1 hour');
  await sign();
  stop();
  expect((await owed()).map(hours)).toEqual([7 + overlapHours]);
});
