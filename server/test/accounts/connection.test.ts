/** The connection of an account: what moves it, what is refused, what is remembered. */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectionEvent } from '#accounts';
import { newId } from '#kernel';
import { openWorld, type World } from '../gateway/world.ts';

let world: World;
let workspaceId: WorkspaceId;
let instances = 0;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

async function aWorkspace(): Promise<WorkspaceId> {
  const made = await world.workspaces.create(`Shop ${newId('workspace')}`);
  if (!made.ok) throw new Error(made.refusal.code);
  workspaceId = made.value.id;
  return workspaceId;
}

async function anAccount(): Promise<AccountId> {
  instances += 1;
  const made = await world.accounts.create(workspaceId, {
    provider: 'evolution',
    settings: { instance: `shop-${instances}` },
    secrets: { apiKey: 'k' },
  });
  if (!made.ok) throw new Error(made.refusal.code);
  return made.value.account.id;
}

function apply(id: AccountId, event: ConnectionEvent) {
  return world.db.storage.inWorkspace(workspaceId, (tx) => world.accounts.applyConnection(tx, id, event));
}

const connect = { kind: 'act', act: 'connect', actor: 'person per_1' } as const;
const disconnect = { kind: 'act', act: 'disconnect', actor: 'person per_1' } as const;
const report = (status: 'connecting' | 'connected' | 'disconnected' | 'error', more: object = {}) =>
  ({ kind: 'report', status, actor: 'provider', ...more }) as const;

function history(id: AccountId) {
  return world.db.ownerQuery<{ previous: string; next: string; reason: string | null; actor: string }>(
    'SELECT previous, next, reason, actor FROM connection_changes WHERE account_id = $1 ORDER BY at, id',
    [id],
  );
}

describe('an account', () => {
  it('starts disconnected, is connecting when a person asks, and connected when its provider says so', async () => {
    await aWorkspace();
    const id = await anAccount();
    expect(await world.accounts.find(workspaceId, id)).toMatchObject({ connectionStatus: 'disconnected' });
    expect(await apply(id, connect)).toMatchObject({
      ok: true,
      value: { previous: 'disconnected', next: 'connecting', reason: null, at: expect.any(Date) },
    });
    expect(await apply(id, report('connected'))).toMatchObject({
      value: { previous: 'connecting', next: 'connected' },
    });
    expect(await history(id)).toEqual([
      { previous: 'disconnected', next: 'connecting', reason: null, actor: 'person per_1' },
      { previous: 'connecting', next: 'connected', reason: null, actor: 'provider' },
    ]);
  });

  it('refuses what its state forbids, with the state, and changes nothing', async () => {
    await aWorkspace();
    const id = await anAccount();
    expect(await apply(id, disconnect)).toMatchObject({
      ok: false,
      refusal: { code: 'connection_forbids', state: 'disconnected' },
    });
    await apply(id, report('connected'));
    expect(await apply(id, connect)).toMatchObject({ ok: false, refusal: { state: 'connected' } });
    expect(await history(id)).toHaveLength(2);
  });

  it('goes through connecting when nobody told of it', async () => {
    await aWorkspace();
    const id = await anAccount();
    await apply(id, report('error', { reason: 'logged out' }));
    expect((await history(id)).map(({ previous, next }) => `${previous} ${next}`)).toEqual([
      'disconnected connecting',
      'connecting error',
    ]);
    expect(await world.accounts.find(workspaceId, id)).toMatchObject({
      connectionStatus: 'error',
      connectionError: 'logged out',
    });
  });

  it('keeps a person’s reason when its provider tells of the same log-out, and what went wrong beside it', async () => {
    await aWorkspace();
    const id = await anAccount();
    await apply(id, connect);
    await apply(id, { ...disconnect, reason: 'closed for the holidays' });
    await apply(id, report('disconnected', { reason: '401' }));
    await apply(id, report('disconnected'));
    const told = async () => (await world.accounts.find(workspaceId, id))?.connectionError;
    expect(await told()).toBe('closed for the holidays');
    await apply(id, report('disconnected', { remark: 'not logged out at the provider: it is away' }));
    expect(await told()).toBe('closed for the holidays; not logged out at the provider: it is away');
    await apply(id, connect);
    await apply(id, report('disconnected', { reason: '401' }));
    expect(await told()).toBe('401');
  });

  it('is not moved back by a report that a newer one has overtaken', async () => {
    await aWorkspace();
    const id = await anAccount();
    await apply(id, report('connected', { occurredAt: new Date('2026-01-01T10:00:05Z') }));
    const late = report('connecting', { occurredAt: new Date('2026-01-01T10:00:01Z') });
    expect(await apply(id, late)).toMatchObject({ value: { next: 'connected', isOvertaken: true } });
    expect(await world.accounts.find(workspaceId, id)).toMatchObject({ connectionStatus: 'connected' });
  });

  it('is not there for another workspace, nor once it is removed', async () => {
    await aWorkspace();
    const id = await anAccount();
    const here = workspaceId;
    await aWorkspace();
    expect(await apply(id, connect)).toMatchObject({ ok: false, refusal: { code: 'account_not_found' } });
    workspaceId = here;
    await world.accounts.remove(workspaceId, id);
    expect(await apply(id, report('connected'))).toMatchObject({ refusal: { code: 'account_not_found' } });
  });

  it('leaves no trace of a transaction that fails', async () => {
    await aWorkspace();
    const id = await anAccount();
    const failing = world.db.storage.inWorkspace(workspaceId, async (tx) => {
      await world.accounts.applyConnection(tx, id, connect);
      throw new Error('lost');
    });
    await expect(failing).rejects.toThrow('lost');
    expect(await history(id)).toEqual([]);
    expect(await world.accounts.find(workspaceId, id)).toMatchObject({ connectionStatus: 'disconnected' });
  });
});

describe('the plan', () => {
  const limitTo = (limit: number) =>
    world.db.ownerQuery(
      `UPDATE workspaces SET settings = jsonb_build_object('maxConnectedAccounts', $2::int) WHERE workspace_id = $1`,
      [workspaceId, limit],
    );

  it('has room for so many connected accounts and no more, even if they connect at once', async () => {
    await aWorkspace();
    await limitTo(2);
    const ids = [await anAccount(), await anAccount(), await anAccount(), await anAccount()];
    const results = await Promise.all(ids.map((id) => apply(id, connect)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(2);
    for (const result of results) if (!result.ok) expect(result.refusal.code).toBe('account_limit');
    const connecting = ids[results.findIndex(({ ok }) => ok)]!;
    await apply(connecting, disconnect);
    const refusedOne = ids[results.findIndex(({ ok }) => !ok)]!;
    expect(await apply(refusedOne, report('connected'))).toMatchObject({ ok: true });
  });

  it('is told beside the state where a provider reports one account more', async () => {
    await aWorkspace();
    await limitTo(0);
    const id = await anAccount();
    const event = {
      kind: 'account',
      type: 'connection',
      name: 'connection.update',
      key: 'k',
      occurredAt: null,
      bindings: [],
      path: '',
      facts: {},
      connection: 'connected',
    } as const;
    await world.db.storage.inWorkspace(workspaceId, (tx) => world.accounts.applyEvent(tx, id, event));
    expect(await world.accounts.find(workspaceId, id)).toMatchObject({
      connectionStatus: 'disconnected',
      connectionError: expect.stringContaining('0 connected accounts'),
    });
  });

  it('is 10 where the workspace names no other', async () => {
    await aWorkspace();
    for (let made = 0; made < 10; made += 1) await apply(await anAccount(), report('connected'));
    expect(await apply(await anAccount(), connect)).toMatchObject({ refusal: { code: 'account_limit' } });
  });
});

describe('an account that returns', () => {
  it('is told of with the time for which it was away, each time once', async () => {
    await aWorkspace();
    const id = await anAccount();
    await apply(id, report('connected'));
    await apply(id, report('connected'));
    expect(world.absences).toEqual([]);
    await apply(id, report('disconnected'));
    const [left] = await world.db.ownerQuery<{ at: Date }>(
      `SELECT at FROM connection_changes WHERE account_id = $1 AND previous = 'connected'`,
      [id],
    );
    await apply(id, connect);
    expect(world.absences).toEqual([]);
    await apply(id, report('connected'));
    await apply(id, report('connected'));
    expect(world.absences).toEqual([{ workspaceId, accountId: id, from: left?.at, until: expect.any(Date) }]);
  });
});
