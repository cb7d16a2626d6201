import { afterAll, beforeAll, expect, test } from 'vitest';
import { dropPartitionsBefore, ensurePartitions } from '#storage';
import { dayOfPartition, firstIdOf, partitionName } from '../../src/storage/schema/partition-days.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const workspace = '01900000-0000-7000-8000-000000000001';
const day = Date.UTC(2031, 0, 30);
const oneDay = 86_400_000;

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

/** A uuid of version 7 of that moment; `last` tells two of one moment apart. */
function idAt(moment: number, last = 1): string {
  return `${firstIdOf(moment).slice(0, 14)}7000-8000-${String(last).padStart(12, '0')}`;
}

async function addDelivery(id: string, state: 'stored' | 'normalised'): Promise<void> {
  await db.ownerQuery(
    `INSERT INTO deliveries (workspace_id, id, provider, route_kind, method, target, headers, body, received_at)
     VALUES ($1, $2, 'meta', 'token', 'POST', '/', '{}', '', now())`,
    [workspace, id],
  );
  await db.ownerQuery(
    `INSERT INTO inbox (workspace_id, id, shard, position, after_position, state) VALUES ($1, $2, 0, 1, 0, $3)`,
    [workspace, id, state],
  );
}

async function tableOf(id: string): Promise<unknown> {
  const rows = await db.ownerQuery('SELECT tableoid::regclass::text AS name FROM deliveries WHERE id = $1', [id]);
  return rows[0]?.name;
}

test.each([
  [day, '0', 'deliveries_d20310130'],
  [day + oneDay - 1, 'f', 'deliveries_d20310130'],
  [day + oneDay, '0', 'deliveries_d20310131'],
])('a day holds its first and its last id (%s, %s)', async (moment, digit, expected) => {
  await ensurePartitions({ ownerUrl: db.ownerUrl }, new Date(day), 2);
  const id = `${firstIdOf(moment).slice(0, 14)}7${digit.repeat(3)}-${digit === '0' ? '8' : 'b'}${digit.repeat(3)}-${digit.repeat(12)}`;
  await addDelivery(id, 'normalised');
  expect(await tableOf(id)).toBe(expected);
});

test('names and days go both ways', () => {
  expect(dayOfPartition(partitionName('inbox', day))).toBe(day);
  expect(dayOfPartition('inbox_default')).toBeUndefined();
  expect(dayOfPartition('inbox_shards')).toBeUndefined();
});

test('made again, nothing is made; a new one takes over its rows from the default', async () => {
  const later = day + 10 * oneDay;
  await addDelivery(idAt(later), 'stored');
  expect(await tableOf(idAt(later))).toBe('deliveries_default');
  const made = await ensurePartitions({ ownerUrl: db.ownerUrl }, new Date(later + 5_000), 1);
  expect(made).toEqual(['deliveries_d20310209', 'inbox_d20310209', 'attempts_d20310209']);
  expect(await tableOf(idAt(later))).toBe('deliveries_d20310209');
  expect(await ensurePartitions({ ownerUrl: db.ownerUrl }, new Date(later), 1)).toEqual([]);
});

test('the worker inserts into a new partition', async () => {
  const id = idAt(day + 1_000, 7);
  await db.storage.workerStatement(
    `INSERT INTO deliveries (workspace_id, id, provider, route_kind, method, target, headers, body, received_at)
     VALUES ($1, $2, 'meta', 'token', 'POST', '/', '{}', '', now())`,
    [workspace, id],
    'insert_one',
  );
  expect(await tableOf(id)).toBe('deliveries_d20310130');
  const worker = await db.storage.asWorker((tx) => tx.query('SELECT 1 FROM deliveries WHERE id = $1', [id]));
  expect(worker).toHaveLength(1);
});

test('drops days that ended, keeps one with a delivery that still waits, and clears the default', async () => {
  const old = Date.UTC(2030, 5, 1);
  await ensurePartitions({ ownerUrl: db.ownerUrl }, new Date(old), 3);
  await addDelivery(idAt(old), 'normalised');
  await addDelivery(idAt(old + oneDay), 'stored');
  const inDefault = [idAt(Date.UTC(2029, 0, 1), 1), idAt(Date.UTC(2029, 0, 1), 2)] as const;
  await addDelivery(inDefault[0], 'normalised');
  await addDelivery(inDefault[1], 'stored');
  const foreign = '00000000-0000-5000-8000-000000000001';
  await addDelivery(foreign, 'normalised');

  const outcome = await dropPartitionsBefore({ ownerUrl: db.ownerUrl }, new Date(old + 2 * oneDay + 3_600_000));

  expect(outcome.dropped.filter((name) => name.includes('2030'))).toEqual([
    'deliveries_d20300601',
    'inbox_d20300601',
    'attempts_d20300601',
  ]);
  expect(outcome.keptDays).toEqual([new Date(old + oneDay)]);
  const left = await db.ownerQuery<{ id: string }>('SELECT id FROM deliveries WHERE id = ANY($1) ORDER BY id', [
    [idAt(old), idAt(old + oneDay), ...inDefault, foreign],
  ]);
  expect(left.map((row) => row.id).sort()).toEqual([foreign, inDefault[1], idAt(old + oneDay)].sort());
});
