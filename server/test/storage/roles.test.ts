import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '#kernel';
import { roleNames } from '#storage';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const [mine, theirs] = [newId('workspace'), newId('workspace')];
const myCategory = newId('category');
const theirCategory = newId('category');

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await db.ownerQuery(
    `INSERT INTO workspaces (workspace_id, name, slug) VALUES ($1, 'Mine', 'a'), ($2, 'Theirs', 'b')`,
    [mine, theirs],
  );
  await db.ownerQuery(`INSERT INTO categories (workspace_id, id, name) VALUES ($1, $2, 'mine'), ($3, $4, 'theirs')`, [
    mine,
    myCategory,
    theirs,
    theirCategory,
  ]);
});
afterAll(() => db.close());

/** A bare connection as a role's log-in, past our own helper. */
async function asLogin<T>(role: 'app' | 'gateway' | 'worker', work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: db.urls[role], options: '-c search_path=switchyard' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe('the log-ins', () => {
  test('own nothing, are no superusers and cannot pass row-level security', async () => {
    const rows = await db.ownerQuery<{ rolname: string; risky: boolean; owned: string }>(
      `SELECT r.rolname, r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb AS risky,
              (SELECT count(*) FROM pg_class WHERE relowner = r.oid) AS owned
         FROM pg_roles r WHERE r.rolname ~ '^switchyard_(app|gateway|worker)'`,
    );
    expect(rows.length).toBeGreaterThanOrEqual(6);
    for (const row of rows) expect(row).toMatchObject({ risky: false, owned: '0' });
  });

  test.each(['app', 'gateway', 'worker'] as const)('%s cannot make, change or empty a table', async (role) => {
    for (const text of [
      'CREATE TABLE switchyard.planted ()',
      'ALTER TABLE categories DISABLE ROW LEVEL SECURITY',
      'DROP POLICY categories_of_workspace ON categories',
      'TRUNCATE categories',
      `SET ROLE switchyard_owner`,
    ]) {
      await expect(
        asLogin(role, (client) => client.query(text)),
        text,
      ).rejects.toMatchObject({ code: '42501' });
    }
  });

  test('the gateway may insert arrivals and read routes, and nothing else', async () => {
    const rows = await db.ownerQuery<{ table_name: string; privilege_type: string }>(
      `SELECT table_name, privilege_type FROM information_schema.role_table_grants
        WHERE grantee = $1 AND table_schema = 'switchyard' AND table_name <> 'counters' ORDER BY 1, 2`,
      [roleNames.gateway],
    );
    expect(rows.map((row) => `${row.privilege_type} ${row.table_name}`)).toEqual(['INSERT arrivals', 'SELECT routes']);
  });
});

describe('row-level security', () => {
  test('is on and forced, with a policy, on every table with a workspace', async () => {
    const rows = await db.ownerQuery<{ name: string; is_partition: boolean; is_held: boolean; policies: number }>(
      `SELECT c.relname AS name, c.relispartition AS is_partition, c.relrowsecurity AND c.relforcerowsecurity AS is_held,
              (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)::int AS policies
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id'
        WHERE c.relnamespace = 'switchyard'::regnamespace AND c.relkind IN ('r', 'p')`,
    );
    const tables = rows.filter((row) => !row.is_partition);
    expect(tables.length).toBeGreaterThan(20);
    for (const row of tables) {
      expect([row.name, row.is_held]).toEqual([row.name, true]);
      expect(row.policies, row.name).toBeGreaterThan(0);
    }
    expect(rows.some((row) => row.is_partition)).toBe(true);
  });

  test('partitions cannot be reached past their parent', async () => {
    const rows = await db.ownerQuery<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c
        WHERE c.relispartition AND c.relkind IN ('r', 'p') AND c.relnamespace = 'switchyard'::regnamespace
          AND EXISTS (SELECT 1 FROM unnest(ARRAY['switchyard_app', 'switchyard_gateway', 'switchyard_worker', 'public']) role
                       WHERE has_table_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, DELETE'))`.replace(
        `, 'public'`,
        '',
      ),
    );
    expect(rows).toEqual([]);
  });

  test('primary keys, unique keys and foreign keys between tenant tables start with the workspace', async () => {
    const rows = await db.ownerQuery<{ name: string; definition: string }>(
      `SELECT c.relname AS name, pg_get_constraintdef(k.oid) AS definition
         FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id'
        WHERE c.relnamespace = 'switchyard'::regnamespace AND NOT c.relispartition AND k.contype IN ('p', 'f')`,
    );
    // Design: routes are the one table that is globally unique; people are not of one workspace.
    const others = rows.filter((row) => row.name !== 'routes' && !row.definition.includes('REFERENCES people'));
    for (const row of others) expect(`${row.name}: ${row.definition}`).toMatch(/KEY \(workspace_id/);
  });

  test('shows a workspace its own rows only', async () => {
    const rows = await db.storage.inWorkspace(mine, (tx) => tx.query('SELECT name FROM categories'));
    expect(rows).toEqual([{ name: 'mine' }]);
  });

  test('refuses to write a row of another workspace, or to move one there', async () => {
    const insert = db.storage.inWorkspace(mine, (tx) =>
      tx.query(`INSERT INTO categories (workspace_id, id, name) VALUES ($1, $2, 'planted')`, [
        theirs,
        newId('category'),
      ]),
    );
    await expect(insert).rejects.toMatchObject({ code: '42501' });
    const move = db.storage.inWorkspace(mine, (tx) => tx.query('UPDATE categories SET workspace_id = $1', [theirs]));
    await expect(move).rejects.toMatchObject({ code: '42501' });
  });

  test('changes and deletes nothing of another workspace', async () => {
    const touched = await db.storage.inWorkspace(mine, async (tx) => [
      ...(await tx.query(`UPDATE categories SET name = 'taken' WHERE id = $1 RETURNING id`, [theirCategory])),
      ...(await tx.query('DELETE FROM categories WHERE id = $1 RETURNING id', [theirCategory])),
    ]);
    expect(touched).toEqual([]);
  });

  test('a foreign key does not take a row of another workspace', async () => {
    const insert = db.storage.inWorkspace(mine, (tx) =>
      tx.query(
        `INSERT INTO products (workspace_id, id, category_id, name, price_minor, currency) VALUES ($1, $2, $3, 'x', 1, 'EUR')`,
        [mine, newId('product'), theirCategory],
      ),
    );
    await expect(insert).rejects.toMatchObject({ code: '23503' });
  });

  test('the same id may exist in two workspaces, so that a clash tells nobody anything', async () => {
    await db.storage.inWorkspace(mine, (tx) =>
      tx.query(`INSERT INTO categories (workspace_id, id, name) VALUES ($1, $2, 'twin')`, [mine, theirCategory]),
    );
    expect(await db.ownerQuery('SELECT 1 FROM categories WHERE id = $1', [theirCategory])).toHaveLength(2);
  });

  test('shows nothing without a workspace: unset, empty as after a transaction, and after an aborted one', async () => {
    await asLogin('app', async (client) => {
      const count = async () => (await client.query('SELECT count(*)::int AS count FROM categories')).rows[0].count;
      expect(await count()).toBe(0);
      await client.query(`BEGIN; SELECT set_config('app.workspace', '${mine}', true)`);
      expect(await count()).toBeGreaterThan(0);
      await expect(client.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
      await client.query('ROLLBACK');
      expect(await count()).toBe(0);
      await client.query(`BEGIN; SELECT set_config('app.workspace', '${mine}', true)`);
      await client.query('COMMIT');
      expect((await client.query(`SELECT current_setting('app.workspace', true) AS left`)).rows).toEqual([
        { left: '' },
      ]);
      expect(await count()).toBe(0);
    });
  });

  test('a session that switches it off is refused, not obeyed', async () => {
    await asLogin('app', async (client) => {
      await client.query('SET row_security = off');
      await expect(client.query('SELECT * FROM categories')).rejects.toMatchObject({ code: '42501' });
    });
  });

  test('a stranger sees the key they show, and no other', async () => {
    const add = (workspace: string, hash: string) =>
      db.ownerQuery(
        `INSERT INTO api_keys (workspace_id, id, name, key_hash, last_four, scopes) VALUES ($1, $2, 'k', $3, '0000', '{}')`,
        [workspace, newId('apiKey'), hash],
      );
    await add(mine, 'aa11');
    await add(theirs, 'bb22');
    const seen = (credential: string | null) =>
      db.storage.asStranger(credential, (tx) => tx.query('SELECT key_hash FROM api_keys'));
    expect(await seen('aa11')).toEqual([{ key_hash: 'aa11' }]);
    expect(await seen('cc33')).toEqual([]);
    expect(await seen(null)).toEqual([]);
    // The connection comes back from the pool without what the one before had shown.
    expect(await seen(null)).toEqual([]);
  });
});
