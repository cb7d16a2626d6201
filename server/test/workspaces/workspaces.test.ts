/** Tenants, people, keys, rights and the audit log, at the room's door. */
import { toPublicId, type WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog, systemClock } from '#kernel';
import { createPasswords, createPostgresEngines, type Engines, sha256Hex } from '#storage';
import { createWorkspaces, mayByRole, memberRoles, resources, rightsOfScope, type Workspaces } from '#workspaces';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;
let engines: Engines;
let workspaces: Workspaces;

beforeAll(async () => {
  db = await testDatabase();
  engines = await createPostgresEngines({ connectionString: db.urls.app, log: silentLog });
  const passwords = createPasswords();
  workspaces = createWorkspaces({ storage: db.storage, passwords, counters: engines.counters, clock: systemClock });
});
afterAll(async () => {
  await engines.close();
  await db.close();
});

async function add(name: string): Promise<WorkspaceId> {
  const made = await workspaces.create(name);
  if (!made.ok) throw new Error(made.refusal.code);
  return made.value.id;
}

describe('a workspace', () => {
  it('has a slug of its name, and is found by it, its id and its public id', async () => {
    const made = await workspaces.create('Café Ñandú & Söhne');
    expect(made).toMatchObject({ ok: true, value: { slug: 'cafe-nandu-sohne', kind: 'tenant' } });
    if (!made.ok) return;
    for (const name of ['cafe-nandu-sohne', made.value.id, toPublicId('workspace', made.value.id)])
      expect(await workspaces.find(name)).toMatchObject({ id: made.value.id });
    expect(await workspaces.find('nobody')).toBeNull();
  });

  it('does not share its slug, nor take one that is none', async () => {
    await add('Twice');
    expect(await workspaces.create('Twice')).toMatchObject({ ok: false, refusal: { code: 'slug-taken' } });
    expect(await workspaces.create('x', { slug: '../up' })).toMatchObject({
      ok: false,
      refusal: { code: 'wrong-slug' },
    });
  });

  it('of the operator is one, however many ask for it first', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => workspaces.operatorWorkspace()));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
  });
});

describe('a person', () => {
  it('has one address, whatever its case, and a password of some length', async () => {
    const person = { email: 'Ada@Example.com', name: 'Ada', password: 'long enough' };
    expect(await workspaces.addPerson({ ...person, password: 'short' })).toMatchObject({
      refusal: { code: 'weak-password' },
    });
    expect(await workspaces.addPerson(person)).toMatchObject({ ok: true, value: { email: 'ada@example.com' } });
    expect(await workspaces.addPerson({ ...person, email: 'ADA@example.com' })).toMatchObject({
      refusal: { code: 'email-taken' },
    });
  });
});

describe('a key', () => {
  it('is known by its hash only, and belongs to one workspace', async () => {
    const workspaceId = await add('Keys');
    const made = await workspaces.createApiKey(workspaceId, { name: 'x', scopes: ['read'] });
    if (!made.ok) throw new Error(made.refusal.code);
    const { key, secret } = made.value;
    expect(secret).toMatch(/^swy_[\w-]{43}$/);
    expect(await workspaces.findByKey(secret)).toMatchObject({ workspaceId, keyId: key.id, scopes: ['read'] });
    const rows = JSON.stringify(await db.ownerQuery('SELECT * FROM api_keys'));
    expect(rows).not.toContain(secret.slice(4));
    expect(rows).toContain(sha256Hex(secret));
    expect(await workspaces.findByKey(`${secret}x`)).toBeNull();
    expect(await workspaces.revokeApiKey(await add('Other'), key.id)).toBe(false);
    expect(await workspaces.revokeApiKey(workspaceId, key.id)).toBe(true);
    expect(await workspaces.findByKey(secret)).toBeNull();
  });

  it.each([['admin'], ['read:all'], ['accounts'], ['accounts:delete'], ['']])('takes no scope %j', async (scope) => {
    const made = await workspaces.createApiKey(await add(`Scope ${scope}x`), { name: 'x', scopes: [scope] });
    expect(made).toMatchObject({ ok: false, refusal: { code: 'wrong-scope' } });
    expect(rightsOfScope(scope)).toBeNull();
  });
});

describe('rights', () => {
  it('grow from viewer to owner', () => {
    const rank = [...memberRoles].reverse();
    for (const resource of resources)
      for (const action of ['read', 'write'] as const) {
        const allowed: readonly string[] = mayByRole[resource][action];
        const flags = rank.map((role) => allowed.includes(role));
        expect([resource, action, flags]).toEqual([
          resource,
          action,
          [...flags].sort((one, two) => Number(one) - Number(two)),
        ]);
        expect(allowed).toContain('owner');
      }
  });

  it('of a general scope are never more than an admin has', () => {
    for (const scope of ['read', 'write'])
      for (const { resource, action } of rightsOfScope(scope) ?? [])
        expect([resource, action, mayByRole[resource][action]]).toEqual([
          resource,
          action,
          expect.arrayContaining(['admin']),
        ]);
  });
});
