import { afterAll, beforeAll, expect, test } from 'vitest';
import { StorageUnavailable } from '#storage';
import { withOwnerClient } from '../../src/storage/database/owner-pool.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { asSuperuser } from '../support/test-cluster.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

test('a connection that breaks between two statements of the owner fails the next one, and ends no process', async () => {
  const work = withOwnerClient(db.ownerUrl, async (client) => {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    // Not events.once: it listens for errors too, and so would hide what is tried here.
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
    await asSuperuser(db.superuserUrl, (other) => other.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]));
    await ended;
    return client.query('SELECT 1');
  });
  await expect(work).rejects.toBeInstanceOf(StorageUnavailable);
});
