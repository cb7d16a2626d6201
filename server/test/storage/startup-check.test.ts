import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '#kernel';
import { ensureRoles, migrate, neededRoleStatements, openDatabase, StorageUnavailable } from '#storage';
import { refusalOf } from '../../src/storage/database/server-facts.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

function open(changed: { readonly urls?: Partial<TestDatabase['urls']>; readonly allowUnsafe?: boolean } = {}) {
  const { allowUnsafe = true } = changed;
  return openDatabase({ urls: { ...db.urls, ...changed.urls }, log: silentLog, allowUnsafe });
}

function withPassword(url: string, name: string): string {
  const other = new URL(url);
  other.username = name;
  other.password = 'planted';
  return other.href;
}

async function withRole(name: string, attributes: string, work: (url: string) => Promise<void>): Promise<void> {
  const login = `${name}_${db.name}`;
  await db.ownerQuery(`CREATE ROLE ${login} LOGIN PASSWORD 'planted' ${attributes}`);
  try {
    await work(withPassword(db.superuserUrl, login));
  } finally {
    await db.ownerQuery(`DROP OWNED BY ${login}; DROP ROLE ${login}`);
  }
}

test('refuses a server with fsync off, by name', async () => {
  await expect(open({ allowUnsafe: false })).rejects.toMatchObject({ name: 'DatabaseRefused', code: 'fsync_off' });
});

test('refuses a superuser for a role', async () => {
  await withRole('planted_super', 'SUPERUSER', async (app) => {
    await expect(open({ urls: { app } })).rejects.toMatchObject({ code: 'role_is_superuser' });
  });
});

test('refuses a log-in with BYPASSRLS', async () => {
  await withRole('planted_bypass', 'BYPASSRLS IN ROLE switchyard_worker', async (worker) => {
    await expect(open({ urls: { worker } })).rejects.toMatchObject({ code: 'role_bypasses_rls' });
  });
});

test('refuses a log-in that is no member of its role', async () => {
  await withRole('planted_stranger', '', async (gateway) => {
    await expect(open({ urls: { gateway } })).rejects.toMatchObject({ code: 'role_is_no_member' });
  });
});

test('refuses a log-in that owns something', async () => {
  await withRole('planted_owner', 'IN ROLE switchyard_app', async (app) => {
    await db.ownerQuery('CREATE TABLE public.planted ()');
    await db.ownerQuery(`ALTER TABLE public.planted OWNER TO planted_owner_${db.name}`);
    await expect(open({ urls: { app } })).rejects.toMatchObject({ code: 'role_owns_something' });
  });
});

test('an unreachable server is unavailable, not refused', async () => {
  const nowhere = 'postgresql://nobody:x@127.0.0.1:1/nothing';
  await expect(open({ urls: { app: nowhere } })).rejects.toBeInstanceOf(StorageUnavailable);
  await expect(migrate({ ownerUrl: nowhere })).rejects.toBeInstanceOf(StorageUnavailable);
  await expect(ensureRoles({ ownerUrl: nowhere, secret: 'x' })).rejects.toBeInstanceOf(StorageUnavailable);
});

test('uses the log-ins it is given, and makes none', async () => {
  await withRole('planted_given', 'IN ROLE switchyard_app', async (app) => {
    const urls = await ensureRoles({ ownerUrl: db.superuserUrl, secret: 'other', given: { ...db.urls, app } });
    expect(urls.app).toBe(app);
    const storage = await open({ urls });
    await storage.close();
  });
});

test('an owner that may not create roles is told what to run', async () => {
  await withRole('planted_weak', '', async (ownerUrl) => {
    const refusal = await ensureRoles({ ownerUrl, secret: 'x' }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'DatabaseRefused', code: 'cannot_create_roles' });
    const statements = await neededRoleStatements({ ownerUrl });
    expect(statements).toHaveLength(3);
    for (const statement of statements) expect((refusal as Error).message).toContain(statement);
  });
});

const fine = {
  version: 180_004,
  version_text: '18.4',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  is_standby: false,
  login: 'someone',
  is_superuser: false,
  bypasses_rls: false,
  is_member: true,
  owned: null,
};

test.each([
  [{}, undefined],
  [{ synchronous_commit: 'remote_apply' }, undefined],
  [{ synchronous_commit: 'remote_write' }, undefined],
  [{ version: 150_000, version_text: '15.0' }, undefined],
  [{ version: 140_019, version_text: '14.19' }, 'too_old'],
  [{ is_standby: true }, 'read_only'],
  [{ fsync: 'off' }, 'fsync_off'],
  [{ full_page_writes: 'off' }, 'full_page_writes_off'],
  [{ synchronous_commit: 'off' }, 'synchronous_commit_off'],
  [{ synchronous_commit: 'local' }, 'synchronous_commit_off'],
])('of a server with %j it says %s', (changed, code) => {
  expect(refusalOf({ ...fine, ...changed }, 'app', false)?.[0]).toBe(code);
});
