import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkCatalogue, migrate, migrationStates, rollback } from '#storage';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { asSuperuser } from '../support/test-cluster.ts';

/** Tables of older systems that carry our names, with a row each. */
const legacyTables = ['messages', 'conversations', 'contacts', 'orders', 'accounts', 'events', 'kysely_migration'];

let db: TestDatabase;
let options: { readonly ownerUrl: string };
beforeAll(async () => {
  db = await testDatabase({ isEmpty: true });
  options = { ownerUrl: db.ownerUrl };
  await asSuperuser(db.superuserUrl, async (client) => {
    await client.query('GRANT ALL ON SCHEMA public TO switchyard_owner; SET ROLE switchyard_owner');
    for (const table of legacyTables) {
      await client.query(`CREATE TABLE public.${table} (id serial PRIMARY KEY, body text NOT NULL DEFAULT 'old')`);
      await client.query(`INSERT INTO public.${table} DEFAULT VALUES`);
    }
  });
});
afterAll(() => db.close());

/** Everything of schema public: its catalogue and its rows. */
async function publicState(): Promise<string> {
  return asSuperuser(db.superuserUrl, async (client) => {
    const parts: unknown[] = [];
    for (const catalogue of [
      `SELECT oid, relname, relfilenode, relacl::text, relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1`,
      `SELECT a.* FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace ORDER BY attrelid, attnum`,
      `SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public'`,
    ]) {
      parts.push((await client.query(catalogue)).rows);
    }
    for (const table of legacyTables) parts.push((await client.query(`SELECT * FROM public.${table}`)).rows);
    return JSON.stringify(parts);
  });
}

async function ourTables(): Promise<number> {
  const rows = await db.ownerQuery(
    `SELECT 1 FROM pg_tables WHERE schemaname = 'switchyard' AND tablename !~ '^kysely'`,
  );
  return rows.length;
}

test('goes up, down and up again, and leaves tables of the same names in public as they are', async () => {
  const before = await publicState();
  const up = await migrate(options);
  expect(up[0]).toEqual({ name: '0001-first', direction: 'up' });
  expect(await ourTables()).toBeGreaterThan(20);
  expect(await migrate(options)).toEqual([]);
  expect((await migrationStates(options)).every((state) => state.executedAt instanceof Date)).toBe(true);

  const down = await rollback({ ...options, to: 'none' });
  expect(down).toHaveLength(up.length);
  expect(await ourTables()).toBe(0);
  expect((await migrationStates(options)).some((state) => state.executedAt)).toBe(false);

  await migrate(options);
  expect(await checkCatalogue(options)).toEqual([]);
  expect(await publicState()).toBe(before);
});

test('two that migrate at once make one schema', async () => {
  await rollback({ ...options, to: 'none' });
  const [one, two] = await Promise.all([migrate(options), migrate(options)]);
  expect(Math.min(one.length, two.length)).toBe(0);
  expect(await checkCatalogue(options)).toEqual([]);
});

test('a start with nothing to do writes no grant, since grants of processes that start together collide', async () => {
  await migrate({ ownerUrl: db.ownerUrl });
  const written = () => db.ownerQuery(`SELECT xmin::text FROM pg_namespace WHERE nspname = 'switchyard'`);
  const before = await written();
  await migrate({ ownerUrl: db.ownerUrl });
  expect(await written()).toEqual(before);
});

test('a step back undoes the last migration only', async () => {
  const names = (await migrationStates(options)).map((state) => state.name);
  expect(await rollback(options)).toEqual([{ name: names.at(-1), direction: 'down' }]);
  expect((await migrate(options)).map((step) => step.name)).toEqual([names.at(-1)]);
});

test('what had stopped before there was a search for it gets its id, and an id too long for an index gets none', async () => {
  await rollback({ ...options, to: '0013-parked-lately' });
  await db.ownerQuery(
    `INSERT INTO events (workspace_id, id, delivery_id, account_id, ordinal, kind, type, key, payload, received_at, position, after_position, state)
     SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), n, 'message', 'text', '', p, now(), 1, 0, s
     FROM (VALUES (1, 'dead', '{"providerMessageId": "wamid.1"}'::jsonb), (2, 'handled', '{"providerMessageId": "wamid.2"}'), (3, 'parked', '{}'),
       (4, 'pending', jsonb_build_object('providerMessageId', repeat('x', 9000)))) AS e (n, s, p)`,
  );
  await migrate(options);
  const found = await db.ownerQuery('SELECT ordinal, provider_message_id AS id FROM events ORDER BY ordinal');
  expect(found).toEqual([
    { ordinal: 1, id: 'wamid.1' },
    { ordinal: 2, id: null },
    { ordinal: 3, id: null },
    { ordinal: 4, id: null },
  ]);
  expect(await checkCatalogue(options)).toEqual([]);
});

test('refuses an unknown migration to go back to', async () => {
  await expect(rollback({ ...options, to: '9999-nowhere' })).rejects.toThrow('There is no migration "9999-nowhere".');
});

test('refuses a schema made by a newer version, and changes nothing', async () => {
  await db.ownerQuery(`INSERT INTO kysely_migration VALUES ('9999-later', now()::text)`);
  for (const attempt of [migrate, rollback]) {
    await expect(attempt(options)).rejects.toMatchObject({ name: 'SchemaFailure', code: 'newer_schema' });
  }
  expect((await migrationStates(options)).at(-1)).toMatchObject({ name: '9999-later' });
  await db.ownerQuery(`DELETE FROM kysely_migration WHERE name = '9999-later'`);
});

describe('the check of the catalogue', () => {
  const plant = (text: string) => db.ownerQuery(text);
  const found = async () => (await checkCatalogue(options)).map(({ kind, thing }) => `${kind} ${thing}`);

  test.each([
    [
      'ALTER TABLE messages DROP COLUMN edited_at',
      'ALTER TABLE messages ADD edited_at timestamptz',
      ['missing column messages.edited_at'],
    ],
    ['ALTER TABLE messages ADD planted int', 'ALTER TABLE messages DROP planted', ['extra column messages.planted']],
    [
      'ALTER TABLE messages ALTER text DROP NOT NULL',
      'ALTER TABLE messages ALTER text SET NOT NULL',
      ['different column messages.text'],
    ],
    [
      `ALTER TABLE messages ALTER text SET DEFAULT 'x'`,
      `ALTER TABLE messages ALTER text SET DEFAULT ''`,
      ['different column messages.text'],
    ],
    [
      'ALTER TABLE messages ADD CONSTRAINT planted CHECK (true)',
      'ALTER TABLE messages DROP CONSTRAINT planted',
      ['extra constraint messages.planted'],
    ],
    ['CREATE INDEX planted ON messages (text)', 'DROP INDEX planted', ['extra index planted']],
    ['CREATE VIEW planted AS SELECT 1 AS one', 'DROP VIEW planted', ['extra column planted.one', 'extra view planted']],
    [
      'CREATE POLICY planted ON messages USING (true)',
      'DROP POLICY planted ON messages',
      ['extra policy messages.planted'],
    ],
    [
      'ALTER TABLE messages NO FORCE ROW LEVEL SECURITY',
      'ALTER TABLE messages FORCE ROW LEVEL SECURITY',
      ['different table messages'],
    ],
    [
      'GRANT SELECT ON messages TO switchyard_gateway',
      'REVOKE SELECT ON messages FROM switchyard_gateway',
      ['extra grant messages to switchyard_gateway'],
    ],
  ])('names what %s did', async (harm, mend, expected) => {
    await plant(harm);
    expect(await found()).toEqual(expected);
    await plant(mend);
    expect(await found()).toEqual([]);
  });

  test('names a missing index, constraint and policy', async () => {
    await plant('DROP INDEX dead_letters_recent');
    await plant('ALTER TABLE products DROP CONSTRAINT products_price_minor_check');
    await plant('DROP POLICY products_of_workspace ON products');
    expect(await found()).toEqual([
      'missing constraint products.products_price_minor_check',
      'missing index dead_letters_recent',
      'missing policy products.products_of_workspace',
    ]);
  });
});
