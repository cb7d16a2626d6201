/** The audit log: one chain per workspace, whoever writes at once, and every way to bend it shows. */

import { fc } from '@fast-check/vitest';
import type { WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#kernel';
import { appendAudit, listAudit, masked, verifyAudit } from '#workspaces';
import { canonicalJson } from '../../src/workspaces/audit/canonical-json.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

async function newWorkspace(): Promise<WorkspaceId> {
  const id = newId('workspace');
  await db.ownerQuery(`INSERT INTO workspaces (workspace_id, name, slug) VALUES ($1, 'Audited', $2)`, [id, id]);
  return id;
}

const act = (workspaceId: WorkspaceId, action: string, more: object = {}) =>
  db.storage.inWorkspace(workspaceId, (tx) =>
    appendAudit(tx, { actor: 'cli', action, resource: 'account acc_1', ...more }),
  );
const verify = (workspaceId: WorkspaceId, anchor?: { sequence: string; hash: string }) =>
  db.storage.inWorkspace(workspaceId, (tx) => verifyAudit(tx, anchor));
const list = (workspaceId: WorkspaceId, filter: object = {}) =>
  db.storage.inWorkspace(workspaceId, (tx) => listAudit(tx, { limit: 100, ...filter }));

describe('the chain', () => {
  it('is one, however many write at once, and holds nothing that was undone', async () => {
    const workspaceId = await newWorkspace();
    const write = (n: number) =>
      db.storage.inWorkspace(workspaceId, async (tx) => {
        await appendAudit(tx, { actor: 'cli', action: `act ${n}`, resource: 'account x', fields: { n, b: 1, a: 2 } });
        if (n % 4 === 3) throw new Error('undone');
      });
    await Promise.allSettled(Array.from({ length: 24 }, (_, n) => write(n)));
    expect(await verify(workspaceId)).toMatchObject({ entries: 18, head: { sequence: '18' }, broken: null });
    expect((await list(workspaceId)).map(({ action }) => action)).not.toContain('act 3');
  });

  it('shows what was changed, taken out, put in or moved, and where', async () => {
    const bends: readonly (readonly [string, string, string])[] = [
      [`UPDATE audit_log SET actor = 'nobody' WHERE sequence = 3`, '3', 'hash'],
      [`UPDATE audit_log SET at = at + interval '1 second' WHERE sequence = 2`, '2', 'hash'],
      [`UPDATE audit_log SET fields = '{"n":9}' WHERE sequence = 5`, '5', 'hash'],
      [`UPDATE audit_log SET format = 1, actor = 'nobody' WHERE sequence = 3`, '3', 'format'],
      ['DELETE FROM audit_log WHERE sequence = 4', '5', 'sequence'],
      [`UPDATE audit_log SET hash = repeat('0', 64) WHERE sequence = 1`, '1', 'hash'],
      [`UPDATE audit_log SET previous_hash = repeat('1', 64) WHERE sequence = 6`, '6', 'previous-hash'],
    ];
    for (const [bend, sequence, reason] of bends) {
      const workspaceId = await newWorkspace();
      for (let n = 1; n <= 6; n += 1) await act(workspaceId, 'update', { fields: { n } });
      expect((await verify(workspaceId)).broken).toBeNull();
      await db.ownerQuery(`${bend} AND workspace_id = $1`, [workspaceId]);
      expect([bend, (await verify(workspaceId)).broken]).toEqual([bend, { sequence, reason }]);
    }
  });

  it('shows with an anchor that its end was cut off, or that all of it was made anew', async () => {
    const workspaceId = await newWorkspace();
    for (let n = 1; n <= 3; n += 1) await act(workspaceId, 'update');
    const { head } = await verify(workspaceId);
    expect((await verify(workspaceId, head!)).broken).toBeNull();
    expect((await verify(workspaceId, { sequence: '2', hash: '0'.repeat(64) })).broken).toEqual({
      sequence: '2',
      reason: 'anchor',
    });
    await db.ownerQuery('DELETE FROM audit_log WHERE workspace_id = $1 AND sequence = 3', [workspaceId]);
    expect((await verify(workspaceId)).broken).toBeNull();
    expect((await verify(workspaceId, head!)).broken).toEqual({ sequence: '3', reason: 'anchor' });
  });

  it('takes the place of older entries on trust, and goes on from them', async () => {
    const workspaceId = await newWorkspace();
    await db.ownerQuery(
      `INSERT INTO audit_log (workspace_id, sequence, actor, action, resource, previous_hash, hash)
       VALUES ($1, 1, 'cli', 'create', 'account x', repeat('0', 64), repeat('a', 64))`,
      [workspaceId],
    );
    await act(workspaceId, 'update');
    expect(await verify(workspaceId)).toMatchObject({ entries: 2, broken: null });
  });

  it('can be appended to and read by the server, and nothing else', async () => {
    const workspaceId = await newWorkspace();
    await act(workspaceId, 'update');
    for (const statement of [`UPDATE audit_log SET actor = 'nobody'`, 'DELETE FROM audit_log', 'TRUNCATE audit_log'])
      for (const role of ['asWorker', 'app'] as const) {
        const run =
          role === 'app'
            ? db.storage.inWorkspace(workspaceId, (tx) => tx.query(statement))
            : db.storage.asWorker((tx) => tx.query(statement));
        await expect(run).rejects.toThrow('permission');
      }
    expect(await verify(workspaceId)).toMatchObject({ entries: 1, broken: null });
  });
});

describe('an entry', () => {
  it('names the fields that changed, and masks their values but for those that are no secret', async () => {
    const workspaceId = await newWorkspace();
    await act(workspaceId, 'update', {
      before: { name: 'Old name', role: 'agent', isActive: false, phone: '+34600111222', token: null },
      after: { name: 'New name', role: 'admin', isActive: true, phone: '+34600111222', token: 'canary-secret' },
    });
    const [entry] = await list(workspaceId);
    expect(entry?.fields).toEqual({
      before: { name: masked, role: 'agent', isActive: false, token: null },
      after: { name: masked, role: 'admin', isActive: true, token: masked },
    });
    expect(JSON.stringify(await db.ownerQuery('SELECT * FROM audit_log'))).not.toContain('canary-secret');
  });

  it('is found by actor, action, kind and thing, and in pages', async () => {
    const workspaceId = await newWorkspace();
    for (let n = 1; n <= 5; n += 1) await act(workspaceId, n % 2 ? 'update' : 'create');
    await act(workspaceId, 'update', { actor: 'key key_1', resource: 'accounting x' });
    expect(await list(workspaceId, { action: 'create' })).toHaveLength(2);
    expect(await list(workspaceId, { actor: 'key key_1' })).toHaveLength(1);
    expect(await list(workspaceId, { resource: 'account' })).toHaveLength(5);
    expect(await list(workspaceId, { resource: 'account acc_1' })).toHaveLength(5);
    expect(await list(workspaceId, { since: new Date(Date.now() + 60_000) })).toEqual([]);
    expect((await list(workspaceId, { before: '4', limit: 2 })).map(({ sequence }) => sequence)).toEqual(['3', '2']);
  });
});

it('writes one text for one value, in whatever order its keys were given', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
      expect(canonicalJson(reversed(value))).toBe(text);
    }),
  );
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}
