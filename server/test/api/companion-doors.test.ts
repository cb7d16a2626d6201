/** The companion's routes: who may, how it is signed, once only, by the newest holder only, nothing of other workspaces. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiProcess, openWorld, taken, type World } from './world.ts';

let world: World;
let other: ApiProcess;
let workspaceId: WorkspaceId;
let accountId: AccountId;
let foreign: { readonly workspaceId: WorkspaceId; readonly accountId: AccountId };
let key: Key;
let operatorKey: Key;

interface Key {
  readonly id: string;
  readonly secret: string;
}

beforeAll(async () => {
  world = await openWorld();
  other = await world.openProcess();
  workspaceId = await world.addWorkspace('Ours');
  accountId = await addSession(workspaceId, 'ours');
  const theirs = await world.addWorkspace('Theirs');
  foreign = { workspaceId: theirs, accountId: await addSession(theirs, 'theirs') };
  key = await world.companions.createKey(workspaceId, 'a machine');
  const operator = await world.workspaces.operatorWorkspace();
  operatorKey = await world.companions.createKey(operator.id, 'the machine');
});
afterAll(() => world.close());

async function addSession(workspace: WorkspaceId, session: string): Promise<AccountId> {
  const made = await world.accounts.create(workspace, {
    provider: 'webjs',
    settings: { session },
    secrets: { webhookKey: `hook of ${session}`, apiKey: `key of ${session}` },
  });
  return taken(made).account.id;
}

interface Changed {
  readonly nonce?: string;
  readonly timestamp?: number;
  readonly secret?: string;
  readonly keyId?: string;
  readonly signedPath?: string;
  readonly signedBody?: string;
}

/** Signed as the documents say it, not by the server's own code. */
function headersFor(method: string, path: string, body: string, signer: Key, changed: Changed = {}) {
  const nonce = changed.nonce ?? randomBytes(12).toString('hex');
  const timestamp = String(changed.timestamp ?? Math.floor(Date.now() / 1_000));
  const keyId = changed.keyId ?? signer.id;
  const digest = createHash('sha256')
    .update(changed.signedBody ?? body)
    .digest('hex');
  const text = `${keyId}.${nonce}.${timestamp}.${method}.${changed.signedPath ?? path}.${digest}`;
  return {
    'x-switchyard-key': keyId,
    'x-switchyard-timestamp': timestamp,
    'x-switchyard-nonce': nonce,
    'x-switchyard-signature': createHmac('sha256', changed.secret ?? signer.secret)
      .update(text)
      .digest('hex'),
    ...(body === '' ? {} : { 'content-type': 'application/json' }),
  };
}

const base = '/api/whatsapp/accounts';

function call(method: string, path: string, body?: object, signer: Key = key, process: ApiProcess = world) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = headersFor(method, path, text, signer);
  return process.ask(method, path, { headers, ...(text === '' ? {} : { body: text }) });
}

const statusOf = async (id: AccountId, workspace = workspaceId) =>
  (await world.accounts.find(workspace, id))?.connectionStatus;

describe('a signature', () => {
  const path = () => `${base}/${accountId}/status`;

  it('is taken in its time by the key that made it', async () => {
    const answer = await call('GET', path());
    expect([answer.status, answer.json()], answer.text).toMatchObject([
      200,
      { success: true, data: { uuid: accountId, workspace_id: workspaceId, connection_status: 'disconnected' } },
    ]);
    expect(answer.headers.deprecation).toMatch(/^@\d+$/);
  });

  const now = Math.floor(Date.now() / 1_000);
  it.each<readonly [string, Changed]>([
    ['another secret', { secret: 'guessed' }],
    ['an unknown key', { keyId: 'cpk_0190c0de00007000800000000000dead' }],
    ['a key that is no id', { keyId: 'nobody' }],
    ['another path', { signedPath: '/api/whatsapp/accounts/active' }],
    ['another body', { signedBody: '{}' }],
    ['a time of 301 seconds ago', { timestamp: now - 302 }],
    ['a time of 301 seconds to come', { timestamp: now + 310 }],
    ['no nonce to speak of', { nonce: 'short' }],
  ])('of %s is refused', async (_name, changed) => {
    const answer = await world.ask('GET', path(), { headers: headersFor('GET', path(), '', key, changed) });
    expect(answer.status, answer.text).toBe(401);
    expect(answer.json()).toMatchObject({ success: false });
  });

  it('is asked of every route', async () => {
    for (const [method, route] of [
      ['GET', 'active'],
      ['GET', `${accountId}/status`],
      ['POST', `${accountId}/mark-disconnected`],
      ['POST', 'broadcast'],
      ['POST', `${accountId}/lease`],
      ['PUT', `${accountId}/lease`],
      ['POST', `${accountId}/lease/release`],
      ['POST', `${accountId}/session-state/read`],
      ['POST', `${accountId}/session-state/write`],
      ['POST', `${accountId}/session-state/clear`],
    ] as const) {
      expect([route, (await world.ask(method, `${base}/${route}`)).status]).toEqual([route, 401]);
    }
  });

  it('is taken once, whichever process it comes to', async () => {
    const headers = headersFor('GET', path(), '', key, { nonce: 'once-and-never-again' });
    expect((await world.ask('GET', path(), { headers })).status).toBe(200);
    expect((await other.ask('GET', path(), { headers })).status).toBe(401);
    expect((await world.ask('GET', path(), { headers })).status).toBe(401);
  });

  it('of a wrong secret spends no nonce', async () => {
    const wrong = headersFor('GET', path(), '', key, { nonce: 'not-spent-yet', secret: 'guessed' });
    await world.ask('GET', path(), { headers: wrong });
    const right = headersFor('GET', path(), '', key, { nonce: 'not-spent-yet' });
    expect((await world.ask('GET', path(), { headers: right })).status).toBe(200);
  });

  it('of a revoked key is refused from then on', async () => {
    const gone = await world.companions.createKey(workspaceId, 'a machine that was sold');
    expect((await call('GET', path(), undefined, gone)).status).toBe(200);
    await world.companions.revokeKey(workspaceId, gone.id);
    expect((await call('GET', path(), undefined, gone)).status).toBe(401);
  });

  it('of the older pair is taken: reads again and again, a write once, never without a body', async () => {
    const older = (body: string, timestamp = String(Math.floor(Date.now() / 1_000))) => ({
      'x-timestamp': timestamp,
      'x-hmac-signature': createHmac('sha256', key.secret).update(timestamp).update(body).digest('hex'),
      ...(body === '' ? {} : { 'content-type': 'application/json' }),
    });
    const reading = older('');
    for (let times = 0; times < 2; times += 1)
      expect((await world.ask('GET', path(), { headers: reading })).status).toBe(200);
    const mark = `${base}/${accountId}/mark-disconnected`;
    expect((await world.ask('POST', mark, { headers: older('') })).status).toBe(401);
    const body = JSON.stringify({ reason: 'told by an older companion' });
    const writing = { headers: older(body), body };
    expect((await world.ask('POST', mark, writing)).status).toBe(200);
    expect((await other.ask('POST', mark, writing)).status).toBe(401);
    expect((await world.ask('GET', path(), { headers: older('', '1700000000') })).status).toBe(401);
  });
});

describe('a broadcast', () => {
  const say = (event: string, data: unknown, signer = key, query = '') =>
    call('POST', `${base}/broadcast${query}`, { event, data }, signer);
  const qr = () => ({ qr_code: '2@abc,def', expires_in: 300, workspace_id: workspaceId, account_id: accountId });

  it('of a QR code is shown with its end', async () => {
    const answer = await say('qr-code-generated', qr());
    expect([answer.status, answer.json()]).toEqual([200, { status: 'broadcasted' }]);
    const pairing = taken(await world.pairing.find(workspaceId, accountId));
    expect(pairing).toMatchObject({ state: 'showing', qr: { code: '2@abc,def', image: null }, codesShown: 1 });
    const seconds = (pairing.qr!.expiresAt.getTime() - Date.now()) / 1_000;
    expect(seconds).toBeGreaterThan(280);
    expect(seconds).toBeLessThanOrEqual(301);
  });

  it('of a status moves the account and forgets the code', async () => {
    const connected = {
      account_id: accountId,
      status: 'connected',
      workspace_id: workspaceId,
      phone_number: '+14155550177',
      metadata: { platform: 'android' },
    };
    expect((await say('account-status-changed', connected)).json()).toEqual({ status: 'broadcasted' });
    expect(await statusOf(accountId)).toBe('connected');
    expect((await world.accounts.find(workspaceId, accountId))?.phoneNumber).toBe('+14155550177');
    expect(taken(await world.pairing.find(workspaceId, accountId))).toMatchObject({ state: 'connected', qr: null });
    const rows = await world.db.ownerQuery('SELECT code, image FROM pairings WHERE account_id = $1', [accountId]);
    expect(rows).toEqual([{ code: null, image: null }]);
    await say('account-status-changed', { ...connected, status: 'disconnected', metadata: { reason: 'unlinked' } });
    expect(await world.accounts.find(workspaceId, accountId)).toMatchObject({
      connectionStatus: 'disconnected',
      connectionError: 'unlinked',
    });
  });

  it('of an unknown event is refused in the older words', async () => {
    const answer = await say('something-else', qr());
    expect([answer.status, answer.json()]).toEqual([400, { error: 'Unknown event' }]);
  });

  it.each([
    ['a key that is not known', { extra: 1 }],
    ['no code', { qr_code: undefined }],
    ['an end that is none', { expires_in: -1 }],
    ['an id that is none', { account_id: 'twelve' }],
  ])('with %s is refused, and names it', async (_name, change) => {
    const answer = await say('qr-code-generated', { ...qr(), ...change });
    expect(answer.status, answer.text).toBe(400);
    expect(answer.json<{ errors: object }>().errors).toHaveProperty(Object.keys(change)[0]!);
  });

  it('about another workspace’s account is answered like one about a missing account', async () => {
    const missing = '0190c0de-0000-7000-8000-00000000dead';
    const tries = [
      { ...qr(), account_id: foreign.accountId },
      { ...qr(), account_id: foreign.accountId, workspace_id: foreign.workspaceId },
      { ...qr(), workspace_id: foreign.workspaceId },
      { ...qr(), account_id: missing },
    ];
    const answers = await Promise.all(tries.map((data) => say('qr-code-generated', data)));
    for (const answer of answers) expect([answer.status, answer.text]).toEqual([404, answers.at(-1)!.text]);
    for (const path of ['status', 'mark-disconnected', 'session-state/clear']) {
      const method = path === 'status' ? 'GET' : 'POST';
      const body = method === 'GET' ? undefined : path.startsWith('session') ? { fence: 1 } : { reason: 'x' };
      expect((await call(method, `${base}/${foreign.accountId}/${path}`, body)).status).toBe(404);
    }
    expect(await statusOf(foreign.accountId, foreign.workspaceId)).toBe('disconnected');
  });

  it('by the operator’s key may be about any workspace, but must name the right one', async () => {
    const about = { ...qr(), account_id: foreign.accountId };
    expect((await say('qr-code-generated', about, operatorKey)).status).toBe(404);
    expect((await say('qr-code-generated', { ...about, workspace_id: foreign.workspaceId }, operatorKey)).status).toBe(
      200,
    );
  });
});

describe('a lease', () => {
  const lease = (holder: string, more: object = {}, signer = operatorKey) =>
    call('POST', `${base}/${accountId}/lease`, { holder, lease_ms: 60_000, ...more }, signer);
  const write = (fence: number, changes: object) =>
    call('POST', `${base}/${accountId}/session-state/write`, { fence, changes }, operatorKey);
  const read = async (...names: string[]) =>
    (await call('POST', `${base}/${accountId}/session-state/read`, { names }, operatorKey)).json().data;
  const runOut = () =>
    world.db.ownerQuery('UPDATE companion_leases SET leased_until = now() WHERE account_id = $1', [accountId]);

  it('is listed for sessions that a person asked for, of the key’s workspace only', async () => {
    await world.pairing.regenerateQr(workspaceId, accountId, 'test');
    await world.pairing.regenerateQr(foreign.workspaceId, foreign.accountId, 'test');
    const listed = async (signer: Key) =>
      (await call('GET', `${base}/active`, undefined, signer))
        .json<{ data: { id: string }[] }>()
        .data.map(({ id }) => id);
    expect(await listed(key)).toEqual([accountId]);
    expect((await listed(operatorKey)).sort()).toEqual([accountId, foreign.accountId].sort());
  });

  it('is one machine’s; it fails over by time, and what the older holder writes is refused', async () => {
    const first = await lease('machine-1', { url: 'http://10.0.0.7:3005' });
    expect([first.status, first.json()], first.text).toMatchObject([
      200,
      { data: { fence: 1, webhook_key: 'hook of ours', api_key: 'key of ours' } },
    ]);
    expect((await world.accounts.find(workspaceId, accountId))?.settings.baseUrl).toBe('http://10.0.0.7:3005');
    expect((await lease('machine-2')).status).toBe(409);
    expect((await write(1, { creds: 'the first', 'key-1': 'a' })).status).toBe(200);
    await runOut();
    const second = await lease('machine-2');
    expect(second.json()).toMatchObject({ data: { fence: 2 } });
    expect((await write(1, { creds: 'from the grave' })).status).toBe(409);
    const renewal = { holder: 'machine-1', fence: 1, lease_ms: 60_000 };
    expect((await call('PUT', `${base}/${accountId}/lease`, renewal, operatorKey)).status).toBe(409);
    const late = { account_id: accountId, workspace_id: workspaceId, status: 'connected' };
    const told = { event: 'account-status-changed', data: late };
    expect((await call('POST', `${base}/broadcast?fence=1`, told, operatorKey)).status).toBe(409);
    expect(await read('creds', 'key-1', 'nothing')).toEqual({ creds: 'the first', 'key-1': 'a' });
    expect((await write(2, { creds: 'the second', 'key-1': null })).status).toBe(200);
    expect(await read('creds', 'key-1')).toEqual({ creds: 'the second' });
  });

  it('tells with each renewal the keys of now', async () => {
    const renew = async () =>
      (
        await call(
          'PUT',
          `${base}/${accountId}/lease`,
          { holder: 'machine-2', fence: 2, lease_ms: 60_000 },
          operatorKey,
        )
      ).json();
    const change = (webhookKey: string, apiKey: string) =>
      world.accounts.update(workspaceId, accountId, { secrets: { webhookKey, apiKey } });
    expect(await renew()).toMatchObject({ data: { fence: 2, webhook_key: 'hook of ours', api_key: 'key of ours' } });
    taken(await change('a newer hook', 'a newer key'));
    expect(await renew()).toMatchObject({
      data: { webhook_url: expect.any(String), webhook_key: 'a newer hook', api_key: 'a newer key' },
    });
    taken(await change('hook of ours', 'key of ours'));
  });

  it('keeps the session state sealed, each value for its place', async () => {
    const rows = await world.db.ownerQuery<{ value_sealed: Buffer }>(
      'SELECT value_sealed FROM session_states WHERE account_id = $1',
      [accountId],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]!.value_sealed.includes('the second')).toBe(false);
  });

  it('is given to nobody else while two ask at once', async () => {
    await runOut();
    const answers = await Promise.all(Array.from({ length: 6 }, (_, index) => lease(`machine-${index + 10}`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
  });

  it('by a workspace’s own key does not say where the server shall send', async () => {
    await runOut();
    expect((await lease('a tenant', { url: 'http://169.254.169.254/' }, key)).status).toBe(200);
    expect((await world.accounts.find(workspaceId, accountId))?.settings.baseUrl).toBe('http://10.0.0.7:3005');
  });
});
