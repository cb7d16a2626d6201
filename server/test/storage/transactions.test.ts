import type { WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const one = '01900000-0000-7000-8000-000000000001' as WorkspaceId;
const two = '01900000-0000-7000-8000-000000000002' as WorkspaceId;

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await db.ownerQuery(
    `INSERT INTO workspaces (workspace_id, name, slug) VALUES ($1, 'One', 'one'), ($2, 'Two', 'two')`,
    [one, two],
  );
});
afterAll(() => db.close());

test('a workspace sees its own row only', async () => {
  const names = await db.storage.inWorkspace(two, (tx) => tx.query('SELECT name FROM workspaces'));
  expect(names).toEqual([{ name: 'Two' }]);
});
