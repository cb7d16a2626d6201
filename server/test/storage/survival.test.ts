import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId, silentLog } from '#kernel';
import { ensureRoles, migrate, openDatabase, type RoleUrls, type Storage, StorageUnavailable } from '#storage';
import { durableCluster } from '../support/database.ts';
import { asSuperuser, urlOfDatabase } from '../support/test-cluster.ts';

let durable: Awaited<ReturnType<typeof durableCluster>>;
let urls: RoleUrls;
let storage: Storage;
beforeAll(async () => {
  durable = await durableCluster();
  const { ownerUrl, roleSecret } = durable.cluster;
  urls = await ensureRoles({ ownerUrl, secret: roleSecret });
  await migrate({ ownerUrl });
  storage = await openDatabase({ urls, log: silentLog });
});
afterAll(async () => {
  await storage.close();
  await durable.close();
});

test('what was committed before kill -9 of the server is there after it, and the same pools work on', {
  timeout: 60_000,
}, async () => {
  const workspace = newId('workspace');
  await storage.inWorkspace(workspace, (tx) =>
    tx.query(`INSERT INTO workspaces (workspace_id, name, slug) VALUES ($1, 'w', 'w')`, [workspace]),
  );
  const acknowledged: string[] = [];
  const failures: unknown[] = [];
  const add = async () => {
    const id = newId('category');
    await storage.inWorkspace(workspace, (tx) =>
      tx.query(`INSERT INTO categories (workspace_id, id, name) VALUES ($1, $2, 'c')`, [workspace, id]),
    );
    acknowledged.push(id);
  };
  for (let number = 0; number < 20; number += 1) await add();
  const writers = Array.from({ length: 4 }, async () => {
    while (failures.length < 4) await add().catch((error: unknown) => failures.push(error));
  });
  process.kill(durable.cluster.pid, 'SIGKILL');
  await Promise.all(writers);
  for (const failure of failures) expect(failure).toBeInstanceOf(StorageUnavailable);

  const stored = () =>
    storage
      .inWorkspace(workspace, (tx) => tx.query<{ id: string }>('SELECT id FROM categories'))
      .then((rows) => rows.map((row) => row.id))
      .catch(() => undefined);
  await expect.poll(stored, { timeout: 45_000 }).toBeDefined();
  expect(await stored()).toEqual(expect.arrayContaining(acknowledged));
});

test('refuses synchronous_commit off for one log-in alone', { timeout: 60_000 }, async () => {
  const run = (text: string) =>
    asSuperuser(urlOfDatabase(durable.cluster.superuserUrl('postgres'), 'postgres'), (client) => client.query(text));
  const open = () => openDatabase({ urls, log: silentLog });
  const gateway = new URL(urls.gateway).username;
  // The kill before this leaves backends that still answer; only the server that came after them takes a new connection.
  await expect.poll(() => run('SELECT 1').then(() => 'up', String), { timeout: 45_000 }).toBe('up');

  await run(`ALTER ROLE ${gateway} SET synchronous_commit = 'off'`);
  await expect(open()).rejects.toMatchObject({ name: 'DatabaseRefused', code: 'synchronous_commit_off' });
  await run(`ALTER ROLE ${gateway} RESET synchronous_commit`);
  await (await open()).close();
});
