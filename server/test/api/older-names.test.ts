/** The names that older clients know, in the shapes that they know. */
import { toPublicId, type WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, openWorld, taken, type World } from './world.ts';

let world: World;
let workspaceId: WorkspaceId;
let headers: Record<string, string>;

beforeAll(async () => {
  world = await openWorld();
  workspaceId = await world.addWorkspace('A shop');
  headers = await world.addKey(workspaceId);
});
afterAll(() => world.close());

interface Older {
  readonly success: boolean;
  readonly message: string;
  readonly code?: string;
  // biome-ignore lint/suspicious/noExplicitAny: older shapes are read field by field, and a wrong one fails the assertion.
  readonly data: any;
  readonly errors?: Record<string, string[]>;
}

async function ask(method: string, path: string, body?: unknown): Promise<Older & Pick<Answer, 'status' | 'headers'>> {
  const answer = await world.ask(method, path, { headers, ...(body === undefined ? {} : { body }) });
  return { ...answer.json<Older>(), status: answer.status, headers: answer.headers };
}

let numbers = 4_155_550_100;

function webSession(more: object = {}) {
  numbers += 1;
  return { phone_number: `+1${numbers}`, provider_type: 'webjs', ...more };
}

describe.each([
  ['/settings/whatsapp-accounts', 'Account'],
  ['/settings/whatsapp-sessions', 'Session'],
])('%s', (path, noun) => {
  it('creates with the defaults that teams know, and shows and lists the same', async () => {
    const wanted = webSession();
    const made = await ask('POST', path, wanted);
    expect(made).toMatchObject({ status: 201, success: true, message: `${noun} created successfully` });
    expect(made.data).toMatchObject({
      ...{ phone_number: wanted.phone_number, account_name: wanted.phone_number, provider_type: 'webjs' },
      ...{ connection_status: 'disconnected', status: 'disconnected', is_active: false },
      ...{ formatted_phone_number: wanted.phone_number, health_score: 50 },
    });
    expect(made.data.id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(made.data.uuid).toBe(made.data.id);
    const shown = await ask('GET', `${path}/${made.data.uuid}`);
    expect(shown).toMatchObject({ status: 200, success: true, data: made.data });
    const listed = await ask('GET', path);
    expect(listed.data).toContainEqual(made.data);
    expect(listed.data[0].is_primary).toBe(true);
  });

  it('wears a Deprecation header and the way to the newer name, on refusals too', async () => {
    for (const answer of [await ask('GET', path), await ask('GET', `${path}/nobody`), await ask('POST', path, {})]) {
      expect(answer.headers.deprecation).toMatch(/^@\d{10}$/);
      expect(answer.headers.link).toMatch(/^<\/api\/v1\/accounts.*>; rel="successor-version"$/);
    }
  });

  it('names a key that there is not, and a field that is missing', async () => {
    const unknown = await ask('POST', path, webSession({ workspace_id: 'mine' }));
    expect(unknown).toMatchObject({ status: 400, success: false, message: 'Validation failed' });
    expect(Object.keys(unknown.errors ?? {})).toEqual(['workspace_id']);
    const missing = await ask('POST', path, { phone_number: '+14155550100' });
    expect(missing).toMatchObject({ status: 400, errors: { provider_type: [expect.any(String)] } });
    const local = await ask('POST', path, webSession({ phone_number: '0155 5012' }));
    expect(local).toMatchObject({ status: 400, errors: { phone_number: [expect.stringContaining('country code')] } });
    const meta = await ask('POST', path, webSession({ provider_type: 'meta' }));
    expect(meta).toMatchObject({ success: false, message: 'Validation failed', code: 'missing-field' });
    expect((await ask('POST', `${path}/nobody/disconnect`, { force: true })).status).toBe(400);
  });

  it('refuses a second account with one number in the words that clients look for', async () => {
    const wanted = webSession();
    await ask('POST', path, wanted);
    expect(await ask('POST', path, wanted)).toMatchObject({
      ...{ status: 409, success: false, message: 'Account with this phone number already exists' },
    });
  });

  it('moves the primary, connects, disconnects, counts and removes', async () => {
    const first = (await ask('POST', path, webSession())).data;
    const second = (await ask('POST', path, webSession({ account_name: 'Second', is_primary: true }))).data;
    const act = (uuid: string, name: string) => ask('POST', `${path}/${uuid}/${name}`);
    expect((await act(first.uuid, 'set-primary')).data.is_primary).toBe(true);
    expect((await ask('GET', `${path}/${second.uuid}`)).data.is_primary).toBe(false);
    expect((await act(first.uuid, 'reconnect')).data).toMatchObject({
      connection_status: 'connecting',
      status: 'connecting',
    });
    expect((await act(first.uuid, 'disconnect')).data).toMatchObject({ connection_status: 'disconnected' });
    const forbidden = { status: 409, success: false, state: 'disconnected' };
    expect(await act(first.uuid, 'disconnect')).toMatchObject(forbidden);
    const statistics = await ask('GET', `${path}/${first.uuid}/statistics`);
    expect(statistics).toMatchObject({
      status: 200,
      data: { by: 'day', time_zone: 'UTC', totals: expect.any(Object) },
    });
    expect(await ask('DELETE', `${path}/${first.uuid}`)).toMatchObject({ status: 200, success: true, data: null });
    expect(await ask('GET', `${path}/${first.uuid}`)).toMatchObject({ status: 404, success: false, code: 'not-found' });
  });

  it('asks for a new QR code only where phones are linked', async () => {
    const { uuid } = (await ask('POST', path, webSession())).data;
    const waiting = { qr_code: null, account_id: uuid };
    expect(await ask('POST', `${path}/${uuid}/regenerate-qr`)).toMatchObject({ status: 200, data: waiting });
    const digit = path.endsWith('accounts') ? 7 : 8;
    const cloud = { phone_number_id: `10658${digit}`, access_token: 'an access token', verify_token: 'a verify token' };
    const made = await ask('POST', path, { phone_number: `+1415555088${digit}`, provider_type: 'meta', ...cloud });
    expect(await ask('POST', `${path}/${made.data.uuid}/regenerate-qr`)).toMatchObject({
      ...{ status: 422, success: false, code: 'not-pairable' },
    });
  });

  it('wants a right, and is open to a browser’s session', async () => {
    const reader = await world.addKey(workspaceId, ['read']);
    expect((await world.ask('GET', path, { headers: reader })).status).toBe(200);
    const refused = await world.ask('POST', path, { headers: reader, body: webSession() });
    expect([refused.status, refused.json<Older>().success]).toEqual([403, false]);
    expect((await world.ask('GET', path)).status).toBe(401);
    const browser = await (await world.addPerson(workspaceId, 'viewer')).logIn();
    expect((await world.ask('GET', path, { headers: browser })).status).toBe(200);
    const elsewhere = { ...browser, 'sec-fetch-site': 'cross-site' };
    expect((await world.ask('GET', path, { headers: elsewhere })).status).toBe(403);
  });
});

it('connects a number of Meta by its older name', async () => {
  const made = await ask('POST', '/settings/whatsapp-accounts', {
    ...{ phone_number: '+1 415 555 0999', account_name: 'Cloud', provider_type: 'meta' },
    ...{ phone_number_id: '106599', access_token: 'an access token', verify_token: 'a verify token' },
  });
  expect(made).toMatchObject({ status: 201, data: { provider_type: 'meta', phone_number: '+14155550999' } });
  expect(await world.accounts.find(workspaceId, made.data.uuid)).toMatchObject({
    settings: { phoneNumberId: '106599' },
    heldSecrets: ['accessToken', 'verifyToken'],
  });
});

describe('/whatsapp/settings', () => {
  const path = '/whatsapp/settings';
  let shop: WorkspaceId;

  beforeAll(async () => {
    shop = await world.addWorkspace('A single-tenant shop');
    headers = await world.addKey(shop);
  });

  const row = (phoneNumberId: string, more: object = {}) => ({
    ...{ apiKey: 'canary-key', phoneNumberId, businessId: `9${phoneNumberId}`, accessToken: 'canary-access' },
    ...{ webhookToken: 'canary-verify', webhookUrl: 'https://old.example.com/whatsapp/webhook', ...more },
  });
  const actives = async () => (await ask('GET', path)).data.filter(({ isActive }: { isActive: boolean }) => isActive);

  it('has no active row before there is one', async () => {
    expect(await ask('GET', `${path}/active`)).toMatchObject({ status: 404, success: false });
    expect((await ask('GET', path)).data).toEqual([]);
  });

  it('keeps exactly one active, the newest unless told otherwise, and masks every secret', async () => {
    const first = await ask('POST', path, row('701'));
    expect(first).toMatchObject({ status: 201, data: { isActive: true, phoneNumberId: '701', businessId: '9701' } });
    const second = await ask('POST', path, row('702'));
    expect((await actives()).map(({ id }: { id: string }) => id)).toEqual([second.data.id]);
    const third = await ask('POST', path, row('703', { isActive: false }));
    expect(third.data.isActive).toBe(false);
    expect((await ask('GET', `${path}/active`)).data.id).toBe(second.data.id);
    const all = JSON.stringify(await ask('GET', path));
    expect(all).not.toContain('canary');
    expect(third.data).toMatchObject({
      accessToken: '********',
      webhookToken: '********',
      appSecret: null,
      apiKey: null,
    });
  });

  it('switches in one step, in either spelling, and refuses to have none active', async () => {
    const [row1, row2] = (await ask('GET', path)).data.filter(({ isActive }: { isActive: boolean }) => !isActive);
    expect((await ask('PUT', `${path}/${row1.id}`, { isActive: true })).data.isActive).toBe(true);
    expect((await actives()).map(({ id }: { id: string }) => id)).toEqual([row1.id]);
    expect((await ask('PUT', `${path}/${row2.id}`, { is_active: true, business_id: '77' })).data).toMatchObject({
      ...{ isActive: true, businessId: '77' },
    });
    expect(await actives()).toHaveLength(1);
    expect(await ask('PUT', path, { isActive: false })).toMatchObject({ status: 409, code: 'settings-active' });
    // However many ask at once.
    await Promise.all([row1, row2].map(({ id }) => ask('PUT', `${path}/${id}`, { isActive: true })));
    expect(await actives()).toHaveLength(1);
  });

  it('removes the active row and makes another one active', async () => {
    const active = (await ask('GET', `${path}/active`)).data.id;
    expect(await ask('DELETE', path)).toMatchObject({ status: 200, success: true });
    expect((await actives()).map(({ id }: { id: string }) => id)).not.toEqual([active]);
    expect(await actives()).toHaveLength(1);
  });

  it('takes no key that there is not, and shows no account of another provider', async () => {
    expect(await ask('POST', path, row('799', { workspaceId: 'x' }))).toMatchObject({
      ...{ status: 400, success: false, errors: { workspaceId: [expect.any(String)] } },
    });
    const made = taken(
      await world.accounts.create(shop, {
        provider: 'webjs',
        settings: { session: 'x' },
        secrets: { webhookKey: 'k' },
      }),
    );
    for (const id of [made.account.id, toPublicId('account', made.account.id)])
      expect((await ask('GET', `${path}/${id}`)).status).toBe(404);
  });
});
