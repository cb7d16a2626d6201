/** The short way of a start: taken only where every step of the long one would change nothing. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dayMs, expectedRoleUrls, findPrepared, migrate, prepareJobs, roleNames } from '#storage';
import { migrations, newestMigration } from '../../src/storage/schema/migrations.ts';
import { migrationNames } from '../../src/storage/schema/prepared-store.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { asSuperuser } from '../support/test-cluster.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await migrate({ ownerUrl: db.ownerUrl });
  await prepareJobs(db.ownerUrl, Object.values(roleNames));
});
afterAll(() => db.close());

const now = () => new Date();
const change = (text: string) => asSuperuser(db.superuserUrl, (client) => client.query(text));

test('knows the migrations by the names of their files', async () => {
  expect(await migrationNames()).toEqual(Object.keys(migrations).sort());
});

test('finds a database that is as the long way leaves it, and the log-ins that it made', async () => {
  const prepared = await findPrepared(db.ownerUrl, now());
  expect(prepared).toEqual({ database: expect.any(String) });
  const given = { app: 'postgres://a', gateway: '', worker: 'postgres://w' };
  const urls = expectedRoleUrls({ ownerUrl: db.ownerUrl, secret: 's', given }, prepared?.database ?? '');
  expect(urls).toMatchObject({ app: 'postgres://a', worker: 'postgres://w' });
  expect(urls.gateway).toMatch(/\/\/switchyard_gateway_[0-9a-f]{8}:/);
});

test.each([
  ['a migration is missing', `DELETE FROM switchyard.kysely_migration WHERE name = '${newestMigration}'`],
  ['a newer program was here', `INSERT INTO switchyard.kysely_migration VALUES ('9999-later', now()::text)`],
  ['the job queues are another version’s', `COMMENT ON SCHEMA switchyard_jobs IS 'made by BullMQ 1.0.0'`],
  ['a role has lost its schema', `REVOKE USAGE ON SCHEMA switchyard FROM ${roleNames.gateway}`],
])('takes the long way where %s', async (_why, text) => {
  expect(await findPrepared(db.ownerUrl, now())).not.toBeNull();
  await change(text);
  expect(await findPrepared(db.ownerUrl, now())).toBeNull();
  await change(
    `DELETE FROM switchyard.kysely_migration WHERE name = '9999-later';
     INSERT INTO switchyard.kysely_migration VALUES ('${newestMigration}', now()::text) ON CONFLICT DO NOTHING`,
  );
  await migrate({ ownerUrl: db.ownerUrl });
  await prepareJobs(db.ownerUrl, Object.values(roleNames));
});

test('takes the long way where a day to come has no partition, or nobody answers', async () => {
  expect(await findPrepared(db.ownerUrl, new Date(now().getTime() + 30 * dayMs))).toBeNull();
  expect(await findPrepared('postgres://nobody@127.0.0.1:1/none', now())).toBeNull();
});
