import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '#kernel';
import { CommitUnknown, StorageUnavailable } from '#storage';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const [one, two] = [newId('workspace'), newId('workspace')];

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await db.ownerQuery(
    `INSERT INTO workspaces (workspace_id, name, slug) VALUES ($1, 'One', 'one'), ($2, 'Two', 'two')`,
    [one, two],
  );
});
afterAll(() => db.close());

function addCategory(name: string) {
  return db.storage.inWorkspace(one, (tx) =>
    tx.query('INSERT INTO categories (workspace_id, id, name) VALUES ($1, $2, $3)', [one, newId('category'), name]),
  );
}

async function categoryNames(): Promise<unknown[]> {
  const rows = await db.ownerQuery('SELECT name FROM categories ORDER BY name');
  return rows.map((row) => row.name);
}

describe('a transaction', () => {
  test('commits what was done, and rings its bells after that', async () => {
    const heard: string[] = [];
    await db.storage.inWorkspace(one, async (tx) => {
      tx.afterCommit(() => heard.push('rung'));
      await tx.query('INSERT INTO categories (workspace_id, id, name) VALUES ($1, $2, $3)', [
        one,
        newId('category'),
        'tea',
      ]);
      expect(heard).toEqual([]);
    });
    expect(await categoryNames()).toContain('tea');
    expect(heard).toEqual(['rung']);
  });

  test('leaves nothing behind when the work throws, and rings nothing', async () => {
    const heard: string[] = [];
    const work = db.storage.inWorkspace(one, async (tx) => {
      tx.afterCommit(() => heard.push('rung'));
      await tx.query('INSERT INTO categories (workspace_id, id, name) VALUES ($1, $2, $3)', [
        one,
        newId('category'),
        'mud',
      ]);
      throw new Error('changed my mind');
    });
    await expect(work).rejects.toThrow('changed my mind');
    expect(await categoryNames()).not.toContain('mud');
    expect(heard).toEqual([]);
  });

  test('does not pass for committed when a failed statement was swallowed', async () => {
    const work = db.storage.inWorkspace(one, async (tx) => {
      await tx.query('SELECT 1/0').catch(() => undefined);
    });
    await expect(work).rejects.toThrow('a transaction with a failed statement is not committed');
  });

  test('is not used after its end', async () => {
    const kept = await db.storage.inWorkspace(one, async (tx) => tx);
    await expect(kept.query('SELECT 1')).rejects.toThrow('a transaction is not used after its end');
  });

  test('takes concurrent statements one after the other', async () => {
    const rows = await db.storage.asWorker((tx) =>
      Promise.all([1, 2, 3].map((number) => tx.query('SELECT $1::int AS number', [number], 'number'))),
    );
    expect(rows.flat()).toEqual([{ number: 1 }, { number: 2 }, { number: 3 }]);
  });

  test('refuses an id that is not a uuid before it reaches the database', async () => {
    const before = db.storage.statements.app;
    const work = db.storage.inWorkspace(`${one}'; DROP TABLE categories --` as typeof one, async () => 1);
    await expect(work).rejects.toThrow('a workspace id is a uuid');
    expect(db.storage.statements.app).toBe(before);
  });

  test('costs two round trips beside its own statements', async () => {
    const before = db.storage.statements.app;
    await db.storage.inWorkspace(one, (tx) => tx.query('SELECT 1'));
    expect(db.storage.statements.app - before).toBe(3);
  });
});

test('values come back as the door says', async () => {
  const [row] = await db.storage.workerStatement(
    `SELECT 9007199254740993::bigint AS big, 1.10::numeric AS exact, '2026-02-03T04:05:06Z'::timestamptz AS moment,
            '\\x00ff'::bytea AS bytes, '{"a":1}'::jsonb AS json, '2026-02-03'::date AS day`,
    [],
    'all_types',
  );
  expect(row).toEqual({
    big: '9007199254740993',
    exact: '1.10',
    moment: new Date('2026-02-03T04:05:06Z'),
    bytes: Buffer.from([0, 255]),
    json: { a: 1 },
    day: '2026-02-03',
  });
});

describe('a database that cannot be asked', () => {
  test('is told from one that says no', async () => {
    await addCategory('salt');
    const refusal = db.storage.inWorkspace(one, (tx) => tx.query('SELECT * FROM no_such_table'));
    await expect(refusal).rejects.not.toBeInstanceOf(StorageUnavailable);
    await expect(refusal).rejects.toMatchObject({ code: '42P01' });
  });

  test('is StorageUnavailable when the connection is cut in the middle, and works again after that', async () => {
    const work = db.storage.inWorkspace(one, async (tx) => {
      const [row] = await tx.query('SELECT pg_backend_pid() AS pid');
      await db.ownerQuery('SELECT pg_terminate_backend($1)', [row?.pid]);
      await tx.query('SELECT 1');
    });
    await expect(work).rejects.toBeInstanceOf(StorageUnavailable);
    await expect(work).rejects.not.toBeInstanceOf(CommitUnknown);
    expect(await db.storage.inWorkspace(one, (tx) => tx.query('SELECT 1 AS fine'))).toEqual([{ fine: 1 }]);
  });

  test('is CommitUnknown when the connection is cut before the commit is answered', async () => {
    const work = db.storage.inWorkspace(one, async (tx) => {
      const [row] = await tx.query('SELECT pg_backend_pid() AS pid');
      await db.ownerQuery('SELECT pg_terminate_backend($1)', [row?.pid]);
    });
    await expect(work).rejects.toBeInstanceOf(CommitUnknown);
    await expect(work).rejects.toBeInstanceOf(StorageUnavailable);
  });

  test('survives the loss of every idle connection', async () => {
    await db.storage.asWorker((tx) => tx.query('SELECT 1'));
    await db.ownerQuery(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    const ask = () => db.storage.workerStatement('SELECT 1 AS fine', [], 'fine').catch((error: unknown) => error);
    // The pool hears of the cut a moment later; until then a statement may meet it, as StorageUnavailable.
    const first = await ask();
    if (first instanceof Error) expect(first).toBeInstanceOf(StorageUnavailable);
    await expect.poll(ask).toEqual([{ fine: 1 }]);
  });

  test('is StorageUnavailable when a statement takes longer than it may', async () => {
    const work = db.storage.asWorker(async (tx) => {
      await tx.query(`SET LOCAL statement_timeout = '20ms'`);
      await tx.query('SELECT pg_sleep(5)');
    });
    await expect(work).rejects.toBeInstanceOf(StorageUnavailable);
  });
});
