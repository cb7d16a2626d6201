/** A connection whose other end is gone without a word: a host that vanished, a firewall that forgot it. */
import type { WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createReceiver, unpackArrivals, type VerifiedDelivery } from '#inbox';
import { newId, silentLog } from '#kernel';
import { openDatabase, type Storage, StorageUnavailable } from '#storage';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { openSilentProxy, type SilentProxy } from '../support/silent-proxy.ts';

let db: TestDatabase;
let proxy: SilentProxy;
let storage: Storage;

beforeAll(async () => {
  db = await testDatabase();
  proxy = await openSilentProxy(db.urls);
  storage = await openDatabase({
    ...{ urls: proxy.urls, log: silentLog, allowUnsafe: true },
    poolSizes: { app: 1, gateway: 1, worker: 2 },
    statementMs: { app: 200, gateway: 200, worker: 200 },
  });
});
beforeEach(async () => {
  await Promise.all(eachWay());
});
afterAll(async () => {
  await storage.close();
  await proxy.close();
  await db.close();
});

const workspaceId = newId('workspace') as WorkspaceId;
const ask = 'SELECT 1 AS one';

/** Each way to the database, one connection of its own for each. */
function eachWay(): Promise<unknown>[] {
  return [
    storage.inWorkspace(workspaceId, (tx) => Promise.all([tx.query(ask), tx.query(ask)])),
    storage.asWorker((tx) => tx.query(ask)),
    storage.workerStatements([{ text: ask, values: [], name: 'one' }]).then(([first]) => {
      if (first?.status === 'rejected') throw first.reason;
    }),
    storage.gatewayStatement(ask, [], 'one'),
  ];
}

function delivery(): VerifiedDelivery {
  return {
    ...{ id: newId('delivery'), workspaceId, accountId: null, provider: 'meta', routeKind: 'shared', method: 'POST' },
    ...{ target: '/', headers: {}, body: Buffer.from('{}'), secretsSealed: null, isAuthenticated: true, isTest: false },
    receivedAt: new Date('2026-01-02T03:04:05.678Z'),
  };
}

test('is given up a little after the limit of a statement, on every way, and is never used again', async () => {
  const before = proxy.made;
  proxy.fallSilent();
  const asked = await Promise.allSettled(eachWay());
  const failures = asked.map((one) => (one.status === 'rejected' ? one.reason : 'answered'));
  expect(failures).toEqual(asked.map(() => expect.any(StorageUnavailable)));
  expect(failures.map(String)).toEqual(asked.map(() => expect.stringMatching(/read timeout|terminated/)));
  await Promise.all(eachWay());
  expect(proxy.made - before).toBe(4);
});

test('refuses a whole batch of deliveries, whose storing is not known, and stores the next', async () => {
  const receiver = createReceiver({ storage, log: silentLog });
  proxy.fallSilent();
  const before = storage.statements.gateway;
  const batch = await Promise.allSettled([delivery(), delivery()].map((one) => receiver.receive(one)));
  expect(batch).toEqual([1, 2].map(() => ({ status: 'rejected', reason: expect.any(StorageUnavailable) })));
  expect(storage.statements.gateway - before).toBe(1);
  const again = delivery();
  await receiver.receive(again);
  await receiver.close();
  await unpackArrivals({ storage: db.storage, log: silentLog });
  expect(await db.ownerQuery('SELECT id FROM deliveries')).toEqual([{ id: again.id }]);
});
