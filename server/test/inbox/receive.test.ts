/** The Receiver: batches, their order, and what becomes of the others when one fails. */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReceiver, type ReceiverOptions, shardOf, unpackArrivals, type VerifiedDelivery } from '#inbox';
import { newId, silentLog } from '#kernel';
import { inboxShards, type Storage, StorageUnavailable } from '#storage';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const workspaceId = newId('workspace') as WorkspaceId;
const accountId = newId('account') as AccountId;

function delivery(body: string | Buffer, more: Partial<VerifiedDelivery> = {}): VerifiedDelivery {
  return {
    ...{ id: newId('delivery'), workspaceId, accountId, provider: 'meta', routeKind: 'token', method: 'POST' },
    ...{ target: '/webhooks/meta/whatsapp/***', headers: { 'content-type': 'application/json' } },
    ...{ body: Buffer.from(body), secretsSealed: null, isAuthenticated: true, isTest: false },
    receivedAt: new Date('2026-01-02T03:04:05.678Z'),
    ...more,
  };
}

function openReceiver(options: Partial<ReceiverOptions> = {}) {
  return createReceiver({ storage: db.storage, log: silentLog, ...options });
}

const unpack = () => unpackArrivals({ storage: db.storage, log: silentLog });

async function placeOf(one: VerifiedDelivery) {
  await unpack();
  const rows = await db.ownerQuery<{ position: string; after: string; shard: number; state: string }>(
    `SELECT position, after_position AS after, shard, state FROM inbox WHERE id = $1`,
    [one.id],
  );
  return rows[0];
}

async function rowOf(one: VerifiedDelivery) {
  await unpack();
  const rows = await db.ownerQuery(
    `SELECT workspace_id AS "workspaceId", id, account_id AS "accountId", provider, route_kind AS "routeKind", method,
       target, headers, body, secrets_sealed AS "secretsSealed", is_authenticated AS "isAuthenticated",
       is_test AS "isTest", received_at AS "receivedAt" FROM deliveries WHERE id = $1`,
    [one.id],
  );
  return rows[0];
}

describe('receive', () => {
  it('keeps every field and every byte of each delivery in a batch', async () => {
    const receiver = openReceiver();
    const all = [
      delivery(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))),
      delivery('', { accountId: null, isTest: true, headers: { 'x-odd': 'é "quoted" \\ \t' } }),
      delivery('é', { secretsSealed: Buffer.from([0, 1, 255]), isAuthenticated: false }),
      delivery('last', { secretsSealed: Buffer.from('sealed'), target: '/x?y=%00' }),
    ];
    await Promise.all(all.map((one) => receiver.receive(one)));
    for (const one of all) expect(await rowOf(one)).toEqual(one);
    await receiver.close();
  });

  it('stores what arrives together in one statement at one position, and what comes later after it', async () => {
    const receiver = openReceiver();
    const [a, b, c] = [delivery('a'), delivery('b'), delivery('c')];
    const before = db.storage.statements.gateway;
    await Promise.all([receiver.receive(a), receiver.receive(b)]);
    expect(db.storage.statements.gateway - before).toBe(1);
    await receiver.receive(c);
    const [one, other, later] = [await placeOf(a), await placeOf(b), await placeOf(c)];
    expect(other?.position).toBe(one?.position);
    expect(one).toMatchObject({ after: '0', state: 'stored' });
    expect(Number(later?.position)).toBeGreaterThan(Number(one?.position));
    expect(later?.after).toBe(one?.position);
    expect(receiver.committedPosition).toBe(Number(later?.position));
    await receiver.close();
  });

  it('counts a request that began before the last commit as in flight with it', async () => {
    const receiver = openReceiver();
    const began = receiver.committedPosition;
    await receiver.receive(delivery('answered meanwhile'));
    const slow = delivery('slow');
    await receiver.receive(slow, began);
    expect((await placeOf(slow))?.after).toBe(String(began));
    await receiver.close();
  });

  it('lets no delivery come after a position above its own: a fail-over may give positions again', async () => {
    const receiver = openReceiver();
    const one = delivery('positions begin anew');
    await receiver.receive(one, 1_000_000_000);
    const place = await placeOf(one);
    expect(place?.after).toBe(String(Number(place?.position) - 1));
    await receiver.close();
  });

  it('divides what is too much for one batch by count and by bytes, and keeps one too large for any', async () => {
    const receiver = openReceiver({ limits: { maxBatchDeliveries: 3, maxBatchBytes: 10 } });
    const all = ['1', '2', '3', '4', '5', '6', '7']
      .map((text) => delivery(text))
      .concat(delivery('x'.repeat(50)), delivery('y'));
    const before = db.storage.statements.gateway;
    await Promise.all(all.map((one) => receiver.receive(one)));
    expect(db.storage.statements.gateway - before).toBe(5);
    for (const one of all) expect(await placeOf(one)).toBeDefined();
    await receiver.close();
  });

  it('refuses what is more than may wait, by count and by bytes, and takes more when there is room again', async () => {
    const receiver = openReceiver({ limits: { maxWaitingDeliveries: 2, maxWaitingBytes: 100 } });
    const taken = [receiver.receive(delivery('a')), receiver.receive(delivery('b'))];
    await expect(receiver.receive(delivery('c'))).rejects.toBeInstanceOf(StorageUnavailable);
    await Promise.all(taken);
    await expect(receiver.receive(delivery('d'.repeat(101)))).rejects.toBeInstanceOf(StorageUnavailable);
    await receiver.receive(delivery('e'));
    await receiver.close();
  });

  it('stores the others when the database refuses one of a batch', async () => {
    const storage: Pick<Storage, 'gatewayStatement'> = {
      gatewayStatement: (text, values, name) =>
        String(values[3]).includes('bad')
          ? Promise.reject(new Error('refused'))
          : db.storage.gatewayStatement(text, values, name),
    };
    const receiver = openReceiver({ storage });
    const good = [delivery('good'), delivery('better')];
    const results = await Promise.allSettled([good[0]!, delivery('bad'), good[1]!].map((one) => receiver.receive(one)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: expect.any(StorageUnavailable) });
    for (const one of good) expect(await placeOf(one)).toBeDefined();
    await receiver.close();
  });

  it('rejects the whole batch when the connection is lost, and goes on with the next', async () => {
    let isAway = true;
    const storage: Pick<Storage, 'gatewayStatement'> = {
      gatewayStatement: (text, values, name) =>
        isAway ? Promise.reject(new StorageUnavailable('cut')) : db.storage.gatewayStatement(text, values, name),
    };
    const receiver = openReceiver({ storage });
    const results = await Promise.allSettled([delivery('a'), delivery('b')].map((one) => receiver.receive(one)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isAway = false;
    await receiver.receive(delivery('c'));
    await receiver.close();
  });

  it('stores what waits before it closes, and takes nothing more', async () => {
    const receiver = openReceiver();
    const last = delivery('last');
    const stored = receiver.receive(last);
    await receiver.close();
    await stored;
    expect(await placeOf(last)).toBeDefined();
    await expect(receiver.receive(delivery('late'))).rejects.toBeInstanceOf(StorageUnavailable);
  });

  it('tells each taker once: after the commit, or at once when it takes nothing more', async () => {
    const receiver = openReceiver();
    const told: (string | null)[] = [];
    const all = ['a', 'b', 'c'].map((text) => delivery(text));
    for (const one of all) receiver.take(one, 0, (failure) => told.push(failure && 'refused'));
    expect(told).toEqual([]);
    await receiver.close();
    expect(told).toEqual([null, null, null]);
    for (const one of all) expect(await placeOf(one)).toBeDefined();
    receiver.take(delivery('late'), 0, (failure) => told.push(failure && 'refused'));
    expect(told).toEqual([null, null, null, 'refused']);
  });

  it('tells of each commit', async () => {
    const heard: unknown[] = [];
    const receiver = openReceiver({ stored: (batch) => heard.push(batch) });
    await receiver.receive(delivery('a'));
    expect(heard).toEqual([receiver.committedPosition]);
    await receiver.close();
  });
});

describe('shardOf', () => {
  it('is the same for all deliveries of an account, and spreads accounts over all shards', () => {
    const ids = Array.from({ length: 500 }, () => newId('account') as AccountId);
    const shards = ids.map((id) => shardOf({ accountId: id, workspaceId }));
    expect(new Set(shards).size).toBe(inboxShards);
    expect(ids.map((id) => shardOf({ accountId: id, workspaceId }))).toEqual(shards);
    expect(shardOf({ accountId: null, workspaceId })).toBe(shardOf({ accountId: null, workspaceId }));
  });
});
