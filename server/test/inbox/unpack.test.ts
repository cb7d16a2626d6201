/** From arrivals to deliveries: each once, in order, whoever unpacks; what cannot be unpacked holds up nothing. */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createReceiver, unpackArrivals, type VerifiedDelivery } from '#inbox';
import { newId, silentLog } from '#kernel';
import { divideArrival, takeBackArrivals } from '../../src/inbox/arrive/arrivals-store.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(() => db.ownerQuery('TRUNCATE arrivals, deliveries, inbox'));

const workspaceId = newId('workspace') as WorkspaceId;

function delivery(text: string, more: Partial<VerifiedDelivery> = {}): VerifiedDelivery {
  return {
    ...{ id: newId('delivery'), workspaceId, accountId: newId('account') as AccountId, provider: 'meta' },
    ...{ routeKind: 'token', method: 'POST', target: '/webhooks/meta/whatsapp/***', headers: {} },
    ...{ body: Buffer.from(text), secretsSealed: null, isAuthenticated: true, isTest: false },
    receivedAt: new Date('2026-01-02T03:04:05.678Z'),
    ...more,
  };
}

async function arrive(...batches: readonly VerifiedDelivery[][]) {
  const receiver = createReceiver({ storage: db.storage, log: silentLog });
  for (const batch of batches) await Promise.all(batch.map((one) => receiver.receive(one)));
  await receiver.close();
}

const unpack = () => unpackArrivals({ storage: db.storage, log: silentLog });
const waiting = () => db.ownerQuery('SELECT position, part, delivery_count, refusal FROM arrivals');

/** The lock of one that was refused is held for a moment longer, and what another is at is left to it: so by what lies there. */
async function unpackAll(): Promise<void> {
  while ((await waiting()).some(({ refusal }) => refusal === null)) await unpack();
}

async function bodies(): Promise<string[]> {
  const rows = await db.ownerQuery<{ body: Buffer }>(
    'SELECT body FROM deliveries JOIN inbox USING (workspace_id, id) ORDER BY position, id',
  );
  return rows.map(({ body }) => body.toString());
}

/** Postgres takes no NUL into jsonb, so this one cannot become a delivery. */
const bad = (text: string) => delivery(text, { headers: { 'x-bad': 'a\u0000b' } });

it('moves every batch once and in order, whoever is at it', async () => {
  const texts = Array.from({ length: 150 }, (_, index) => String(index).padStart(3, '0'));
  await arrive(...texts.map((text) => [delivery(text)]));
  while ((await waiting()).length > 0) await Promise.all([unpack(), unpack(), unpack()]);
  expect(await bodies()).toEqual(texts);
  expect(await unpack()).toBe(false);
});

it('says that there may be more when it has moved as much as it may', async () => {
  await arrive(...Array.from({ length: 65 }, () => [delivery('a')]));
  expect(await unpack()).toBe(true);
  expect(await unpack()).toBe(false);
  expect(await bodies()).toHaveLength(65);
});

it('waits for nobody: what another unpacks is left to it', async () => {
  await arrive([delivery('a')]);
  await db.storage.asWorker(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock(7023617463)');
    expect(await unpack()).toBe(false);
  });
  expect(await waiting()).toHaveLength(1);
  await unpack();
  expect(await bodies()).toEqual(['a']);
});

it('sets aside the one delivery that the database refuses, and goes on with all others in their order', async () => {
  await arrive([delivery('a'), bad('b'), delivery('c')], [delivery('d')], [bad('e')]);
  await unpackAll();
  expect(await bodies()).toEqual(['a', 'c', 'd']);
  const aside = await waiting();
  expect(aside).toHaveLength(2);
  for (const row of aside)
    expect(row).toMatchObject({ delivery_count: 1, refusal: expect.stringContaining('Unicode') });
});

it('keeps sealed parts with their delivery when a batch is divided', async () => {
  const sealed = delivery('first', { secretsSealed: Buffer.from('sealed') });
  await arrive([sealed, bad('b'), delivery('last')]);
  await unpackAll();
  const [row] = await db.ownerQuery('SELECT body, secrets_sealed FROM deliveries WHERE id = $1', [sealed.id]);
  expect(row).toEqual({ body: Buffer.from('first'), secrets_sealed: Buffer.from('sealed') });
  expect(await bodies()).toEqual(['first', 'last']);
});

it('divides a batch by one statement: with no transaction around it whose beginning could be cut off', async () => {
  const first = delivery('first', { secretsSealed: Buffer.from('sealed') });
  await arrive([first, delivery(''), delivery('last')]);
  const [row] = await db.ownerQuery<{ position: string }>('SELECT position FROM arrivals');
  const { storage } = db;
  const place = { position: row!.position, part: 0 };
  await divideArrival({ ...storage, asWorker: () => Promise.reject(new Error('not here')) }, place);
  // Again, as after an answer that was lost: there is nothing left to divide.
  await divideArrival(storage, place);
  expect(await waiting()).toEqual(
    [1, 2, 3].map((part) => ({ position: place.position, part, delivery_count: 1, refusal: null })),
  );
  await unpackAll();
  expect(await bodies()).toEqual(['first', '', 'last']);
});

it('tries what was set aside once more when it is told to', async () => {
  await arrive([bad('b')]);
  await unpackAll();
  await db.ownerQuery(String.raw`UPDATE arrivals SET deliveries = replace(deliveries, '\u0000', '')`);
  expect(await unpack()).toBe(false);
  expect(await takeBackArrivals(db.storage)).toBe(1);
  await unpack();
  expect(await bodies()).toEqual(['b']);
});
