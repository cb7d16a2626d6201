/** Tokens and the webhook at the provider over the interface: rights, refusals, and what is written down. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WorkspaceId } from '@switchyard/contract';
import { toPublicId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metaAccount, openWorld, taken, type World } from './world.ts';

let world: World;
let workspaceId: WorkspaceId;
let headers: Record<string, string>;
let path: string;
let hooks: Server;
const called: string[] = [];

beforeAll(async () => {
  hooks = createServer((request, response) => {
    called.push(request.url ?? '');
    response.end('ok');
  });
  await new Promise<void>((listening) => hooks.listen(0, '127.0.0.1', listening));
  world = await openWorld({ publicUrl: `http://127.0.0.1:${(hooks.address() as AddressInfo).port}` });
  workspaceId = await world.addWorkspace('A shop');
  headers = await world.addKey(workspaceId);
  const made = taken(await world.accounts.create(workspaceId, metaAccount()));
  path = `/api/v1/accounts/${toPublicId('account', made.account.id)}`;
});
afterAll(async () => {
  await world.close();
  await new Promise((closed) => hooks.close(closed));
});

const post = (name: string, body?: unknown) => world.ask('POST', `${path}/${name}`, { headers, body });

interface Shown {
  readonly tokens: readonly { readonly id: string; readonly webhookUrl: string; readonly retiresAt: string | null }[];
}

const shown = async () => (await world.ask('GET', `${path}/webhook`, { headers })).json<Shown>().tokens;

describe('a rotation', () => {
  it('leaves two tokens, is refused while it is open, is retired and undone', async () => {
    const [first] = await shown();
    const rotated = await post('rotate-token');
    expect(rotated.status).toBe(200);
    const again = await post('rotate-token');
    expect([again.status, again.json().code]).toEqual([409, 'rotation-open']);
    const [old, current] = await shown();
    expect([old?.id, current?.webhookUrl]).toEqual([first?.id, rotated.json().webhookUrl]);
    const retired = async (tokenId: unknown) => {
      const answer = await post('retire-token', { tokenId });
      return [answer.status, answer.text === '' ? null : answer.json().code];
    };
    expect(await retired(current?.id)).toEqual([409, 'token-current']);
    expect(await retired(crypto.randomUUID())).toEqual([404, 'not-found']);
    expect(await retired('nonsense')).toEqual([400, 'invalid-request']);
    expect(await retired(old?.id)).toEqual([204, null]);
    const undone = await post('undo-rotation');
    expect([undone.status, undone.json().webhookUrl]).toEqual([200, first?.webhookUrl]);
    expect((await shown()).find(({ retiresAt }) => retiresAt === null)?.id).toBe(first?.id);
  });

  it('is not for those who may only work with messages', async () => {
    const agent = await (await world.addPerson(workspaceId, 'agent')).logIn();
    for (const name of ['rotate-token', 'undo-rotation', 'set-webhook', 'undo-webhook', 'test-webhook'])
      expect((await world.ask('POST', `${path}/${name}`, { headers: agent })).status).toBe(403);
    for (const name of ['webhook', 'provider-webhook'])
      expect((await world.ask('GET', `${path}/${name}`, { headers: agent })).status).toBe(403);
  });
});

describe('the webhook at the provider', () => {
  it('is told with the reason where the provider cannot be asked, and then not set', async () => {
    const seen = await world.ask('GET', `${path}/provider-webhook`, { headers });
    expect(seen.json()).toMatchObject({ found: null, failure: { code: 'connection-refused' }, match: 'not-told' });
    const set = await post('set-webhook');
    expect([set.status, set.json().code]).toEqual([422, 'connection-refused']);
    const undone = await post('undo-webhook');
    expect([undone.status, undone.json().code]).toEqual([409, 'nothing-to-undo']);
  });

  it('is tried by way of the public address', async () => {
    const tried = await post('test-webhook');
    expect(tried.json()).toMatchObject({ status: 200, body: 'ok' });
    expect(called).toHaveLength(1);
    expect(called[0]).toMatch(/^\/webhooks\/meta\/whatsapp\/[\w-]{43}$/);
  });
});

it('each look and each act is in the audit log, without a token', async () => {
  const rows = await world.db.ownerQuery<{ action: string; row: string }>(
    'SELECT action, audit_log::text AS row FROM audit_log WHERE workspace_id = $1',
    [workspaceId],
  );
  const actions = new Set(rows.map(({ action }) => action));
  for (const action of ['show-token', 'rotate-token', 'retire-token', 'undo-rotation', 'find-webhook', 'test-webhook'])
    expect(actions).toContain(action);
  const text = rows.map(({ row }) => row).join('\n');
  for (const { webhookUrl } of await shown()) expect(text).not.toContain(webhookUrl.split('/').at(-1));
});

it('a base URL that is no address to call is refused when it is given', async () => {
  for (const baseUrl of ['ftp://x', 'http://user:pass@10.0.0.1', 'javascript:alert(1)', 'http://']) {
    const answer = await world.ask('PATCH', path, { headers, body: { settings: { baseUrl } } });
    expect([baseUrl, answer.status]).toEqual([baseUrl, 422]);
  }
});
