/** The webhook at the provider, set and put back against the stand-ins, which call back as the providers do. */
import type { AccountId, Provider } from '@switchyard/contract';
import { type Simulator, startSimulator } from '@switchyard/simulator';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Accounts, createAccounts, createProviderWebhooks, type NewAccount, tryWebhook } from '#accounts';
import { closeProviderConnections, createReach, defaultSendTimeouts, parseRange } from '#channels';
import { silentLog, systemClock } from '#kernel';
import { channels, openWorld, type World } from '../gateway/world.ts';

let world: World;
let simulator: Simulator;
let accounts: Accounts;
let webhooks: ReturnType<typeof createProviderWebhooks>;
let webhooksBy: (channelsThere: typeof channels) => typeof webhooks;
let urlOf: Record<Provider, string>;

beforeAll(async () => {
  [world, simulator] = await Promise.all([openWorld({ publicUrl: undefined }), startSimulator({ seed: 5 })]);
  const { graph, twilio, evolution, webjs } = simulator.urls;
  urlOf = { meta: graph, instagram: graph, twilio, evolution, webjs };
  const base = { ...world.db, engines: world.engines, sealer: world.sealer, channels, clock: systemClock };
  const publicUrl = `http://127.0.0.1:${world.port}`;
  accounts = createAccounts({ ...base, publicUrl, log: silentLog, noteChange: () => {} });
  // As in the product: a tenant's base URL, and the operator lets it reach these stand-ins.
  const reach = createReach(Object.values(urlOf).map((url) => parseRange(new URL(url).host)!));
  webhooksBy = (channelsThere) =>
    createProviderWebhooks({
      ...{ storage: world.db.storage, sealer: world.sealer, accounts, clock: systemClock },
      channels: channelsThere,
      networkOf: ({ settings }) => ({ baseUrl: settings.baseUrl ?? '', reach, timeouts: defaultSendTimeouts }),
    });
  webhooks = webhooksBy(channels);
});
afterAll(async () => {
  await accounts.close();
  await simulator.close();
  await world.close();
  await closeProviderConnections();
});

async function control(method: string, path: string, body?: unknown) {
  const answer = await fetch(`${simulator.urls.phone}/control/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await answer.json()) as Record<string, never>;
}

beforeEach(() => control('DELETE', 'numbers'));

/** What stood at the provider before we came. */
const older = 'https://old.example.com/hook';
let count = 0;

interface Shop {
  readonly id: AccountId;
  readonly webhookUrl: string;
  readonly token: string;
  readonly number: string;
}

/** An account of ours, and the number of the stand-in that it is. */
async function connect(provider: Provider, more: Partial<NewAccount> = {}, stand: object = {}): Promise<Shop> {
  count += 1;
  const number = `+1555020${String(count).padStart(4, '0')}`;
  const id = `20000000000${count}`;
  const accountSid = `AC${id.padStart(32, '0')}`;
  const settings = {
    meta: { phoneNumberId: id, wabaId: `9${id}` },
    instagram: { instagramId: id },
    twilio: { accountSid, sender: `whatsapp:${number}` },
    evolution: { instance: `shop-${count}` },
    webjs: { session: `shop-${count}` },
  } as const satisfies Record<Provider, Record<string, string>>;
  const secrets = {
    meta: { accessToken: 'an access token', appSecret: 'an app secret', verifyToken: 'a verify token' },
    instagram: { accessToken: 'an access token', appSecret: 'an app secret', verifyToken: 'a verify token' },
    twilio: { authToken: 'an auth token' },
    evolution: { apiKey: 'an instance key', webhookSecret: 'a header secret' },
    webjs: { webhookKey: 'a shared key' },
  } as const satisfies Record<Provider, Record<string, string>>;
  const made = await accounts.create(world.workspaceId, {
    provider,
    ...more,
    settings: { ...settings[provider], baseUrl: urlOf[provider], ...more.settings },
    secrets: { ...secrets[provider], ...more.secrets },
  });
  if (!made.ok) throw new Error(`${made.refusal.code}: ${made.refusal.detail}`);
  await control('PUT', 'numbers', {
    ...{ provider, number, webhookUrl: older, ids: settings[provider], secrets: secrets[provider] },
    ...stand,
  });
  const { account, webhookUrl, token } = made.value;
  return { id: account.id, webhookUrl, token, number };
}

const look = (shop: Shop) => webhooks.look(world.workspaceId, shop.id);
const set = (shop: Shop) => webhooks.set(world.workspaceId, shop.id, 'a test');
const undo = (shop: Shop, isForced = false) => webhooks.undo(world.workspaceId, shop.id, { isForced, actor: 'a test' });

/** A customer of the stand-in writes; what our gateway stored of it is counted. */
async function arrives(provider: Provider, shop: Shop): Promise<boolean> {
  const before = (await world.stored()).length;
  await control('POST', 'inbound', {
    ...{ provider, number: shop.number, from: '+34600111222', content: { type: 'text', text: 'hola' } },
  });
  return (await world.stored()).length > before;
}

const v1 = { settings: { version: 'v1' } };
const service = { settings: { messagingServiceSid: 'MG00000000000000000000000000000001' } };
const inService = { ids: { accountSid: '', messagingServiceSid: 'MG00000000000000000000000000000001' } };

describe.each<[name: string, provider: Provider, account: Partial<NewAccount>, stand: object, level: string]>([
  ['Evolution v2', 'evolution', {}, {}, 'instance'],
  ['Evolution v1', 'evolution', v1, { version: 'v1' }, 'instance'],
  ['a number at Meta', 'meta', {}, {}, 'number'],
  ['a Twilio sender', 'twilio', {}, {}, 'sender'],
])('%s', (_name, provider, account, stand, level) => {
  it('is seen, set, and put back', async () => {
    const shop = await connect(provider, account, stand);
    expect(await look(shop)).toMatchObject({ match: 'other', found: { value: { url: older } }, undoable: null });
    expect(await arrives(provider, shop)).toBe(false);
    const wanted = { ok: true, value: { match: 'current', found: { value: { isEnabled: true, level } } } };
    expect(await set(shop)).toMatchObject(wanted);
    expect(await arrives(provider, shop)).toBe(true);
    expect(await undo(shop)).toMatchObject({
      ok: true,
      value: { match: 'other', found: { value: { url: older } }, undoable: null },
    });
    expect(await arrives(provider, shop)).toBe(false);
    expect(await undo(shop)).toMatchObject({ ok: false, refusal: { code: 'nothing_to_undo' } });
  });

  it('is found to be ours by a token that was replaced, and set anew goes to the newest', async () => {
    const shop = await connect(provider, account, stand);
    await set(shop);
    await accounts.rotateToken(world.workspaceId, shop.id);
    expect(await look(shop)).toMatchObject({ match: 'replaced' });
    expect(await set(shop)).toMatchObject({ ok: true, value: { match: 'current' } });
    // Two settings, undone one after the other, newest first.
    expect(await undo(shop)).toMatchObject({ ok: true, value: { match: 'replaced' } });
    expect(await undo(shop)).toMatchObject({ ok: true, value: { found: { value: { url: older } } } });
  });

  it('is not put back over what somebody set since, unless told to', async () => {
    const shop = await connect(provider, account, stand);
    await set(shop);
    const ids = (await accounts.find(world.workspaceId, shop.id))?.settings ?? {};
    await control('PUT', 'numbers', {
      ...{ provider, number: shop.number, webhookUrl: 'https://third.example.com/', ids },
      secrets: { verifyToken: 'a verify token' },
      ...stand,
    });
    expect(await undo(shop)).toMatchObject({ ok: false, refusal: { code: 'webhook_changed' } });
    if (provider !== 'meta')
      expect(await undo(shop, true)).toMatchObject({ value: { found: { value: { url: older } } } });
  });

  it('keeps what was found sealed: a token of another system may stand in it', async () => {
    const shop = await connect(provider, account, { ...stand, webhookUrl: 'https://old.example.com/canary-7f3a' });
    await set(shop);
    const rows = await world.db.ownerQuery<{ row: string }>(
      `SELECT p::text || encode(facts_sealed, 'escape') AS row FROM provider_webhooks p WHERE account_id = $1`,
      [shop.id],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toMatch(/canary/);
    expect(rows[0]?.row).not.toContain(shop.token);
  });
});

describe('a messaging service of Twilio', () => {
  it('is set instead of the sender, and told to be followed', async () => {
    const shop = await connect('twilio', service, inService);
    const sid = (await accounts.find(world.workspaceId, shop.id))?.settings.accountSid;
    await control('PUT', 'numbers', {
      ...{ provider: 'twilio', number: shop.number, webhookUrl: older, secrets: { authToken: 'an auth token' } },
      ids: { accountSid: sid, messagingServiceSid: service.settings.messagingServiceSid },
    });
    expect(await look(shop)).toMatchObject({ match: 'none', found: { value: { level: 'messaging-service' } } });
    expect(await set(shop)).toMatchObject({ ok: true, value: { match: 'current' } });
    expect(await arrives('twilio', shop)).toBe(true);
    expect(await undo(shop)).toMatchObject({ ok: true, value: { match: 'none' } });
    expect(await arrives('twilio', shop)).toBe(false);
  });
});

describe('Instagram', () => {
  it('has the fields that are sent set and put back; its URL stands in the app', async () => {
    const shop = await connect('instagram');
    const before = await look(shop);
    expect(before).toMatchObject({ sets: 'events', match: 'not-told', found: { value: { url: null, level: 'app' } } });
    expect(await set(shop)).toMatchObject({ ok: true, value: { found: { value: { isEnabled: true } } } });
    const { webhookEvents } = (await accounts.find(world.workspaceId, shop.id)) ?? {};
    expect(webhookEvents).toMatchObject({ missing: [], unwanted: [], subscribed: webhookEvents?.wanted });
    const events = (seen: Awaited<ReturnType<typeof look>>) => (seen?.found?.ok ? seen.found.value.events : null);
    expect(events(await look(shop))).toContain('messaging_seen');
    expect(await undo(shop)).toMatchObject({ ok: true });
    expect(events(await look(shop))).toEqual(events(before));
  });
});

it('sets the events that the account wants, and keeps those that the provider says it sends', async () => {
  const shop = await connect('evolution', { wantedWebhookEvents: ['MESSAGES_UPSERT', 'CALL'] });
  await set(shop);
  const seen = await look(shop);
  expect(seen?.found?.ok && seen.found.value.events).toEqual(['MESSAGES_UPSERT', 'CALL', 'MESSAGES_EDITED']);
  expect((await accounts.find(world.workspaceId, shop.id))?.webhookEvents).toMatchObject({ missing: [] });
});

describe('what the provider refuses', () => {
  it('is told in its own words, and leaves nothing to undo', async () => {
    const shop = await connect('evolution', { secrets: { apiKey: 'a wrong key' } });
    const refused = { code: 'credentials-refused', detail: 'Unauthorized' };
    expect(await look(shop)).toMatchObject({ found: { ok: false, refusal: refused } });
    expect(await set(shop)).toMatchObject({ ok: false, refusal: refused });
    expect(await look(shop)).toMatchObject({ undoable: null });
  });

  it('half-way, leaves what was found to be put back', async () => {
    // Meta subscribes the app, and then the URL fails its challenge.
    const shop = await connect('meta');
    const { phoneNumberId = '', wabaId = '' } = (await accounts.find(world.workspaceId, shop.id))?.settings ?? {};
    const authorization = 'Bearer an access token';
    const subscriptions = `${urlOf.meta}/v24.0/${wabaId}/subscribed_apps`;
    await fetch(subscriptions, { method: 'DELETE', headers: { authorization } });
    await accounts.update(world.workspaceId, shop.id, { secrets: { verifyToken: '' } });
    expect(await set(shop)).toMatchObject({ ok: false, refusal: { code: 'verify-token-missing' } });
    expect(await look(shop)).toMatchObject({ undoable: { url: shop.webhookUrl } });
    expect(await undo(shop)).toMatchObject({ ok: true });
    const answer = await fetch(subscriptions, { headers: { authorization } });
    expect(await answer.json()).toEqual({ data: [] });
    expect(phoneNumberId).not.toBe('');
  });

  it('is a missing sender at Twilio', async () => {
    const shop = await connect('twilio', { settings: { sender: 'whatsapp:+15550299999' } });
    expect(await set(shop)).toMatchObject({ ok: false, refusal: { code: 'sender-missing' } });
  });

  it('is an address inside, whatever the base URL says', async () => {
    const shop = await connect('evolution', { settings: { baseUrl: `http://127.0.0.1:${world.port}` } });
    expect(await set(shop)).toMatchObject({ ok: false, refusal: { code: 'address-forbidden' } });
  });
});

it('a companion is told by hand', async () => {
  const shop = await connect('webjs');
  expect(await look(shop)).toMatchObject({ sets: 'nothing', found: null, wantedUrl: shop.webhookUrl });
  expect(await set(shop)).toMatchObject({ ok: false, refusal: { code: 'webhook_by_hand' } });
});

it.each<Provider>(['meta', 'instagram', 'twilio', 'evolution', 'webjs'])('a test of %s is taken', async (provider) => {
  const shop = await connect(provider);
  const account = await accounts.findServing(world.workspaceId, shop.id);
  if (!account) throw new Error('it was connected');
  const test = { webhookUrl: shop.webhookUrl, calledUrl: new URL(shop.webhookUrl).origin };
  expect(await tryWebhook(account, test, new Date())).toMatchObject({ ok: true, value: { status: 200 } });
});

it('another workspace’s account is a missing one', async () => {
  const shop = await connect('evolution');
  const other = await world.workspaces.create('Another');
  if (!other.ok) throw new Error(other.refusal.code);
  expect(await webhooks.look(other.value.id, shop.id)).toBeNull();
  expect(await webhooks.set(other.value.id, shop.id, 'x')).toMatchObject({ refusal: { code: 'account_not_found' } });
});

describe('the audit log', () => {
  const stepsOf = async (shop: Shop) => {
    const rows = await world.db.ownerQuery<{ actor: string; action: string; fields: object }>(
      'SELECT actor, action, fields FROM audit_log WHERE workspace_id = $1 AND resource = $2 ORDER BY sequence',
      [world.workspaceId, `account acc_${shop.id.replaceAll('-', '')}`],
    );
    return rows.map(({ actor, action, fields }) => [actor, action, fields]);
  };

  it('tells that an act begins and how it ended', async () => {
    const shop = await connect('meta');
    await set(shop);
    await undo(shop);
    expect(await stepsOf(shop)).toEqual([
      ['a test', 'set-webhook', { step: 'begun' }],
      ['a test', 'set-webhook', { step: 'done' }],
      ['a test', 'undo-webhook', { step: 'begun', isForced: false }],
      ['a test', 'undo-webhook', { step: 'done', isForced: false }],
    ]);
  });

  it('shows one that was cut off between the call and its record', async () => {
    const shop = await connect('meta');
    const { webhook } = channels.meta;
    if (!webhook) throw new Error('Meta is told its webhook by a call');
    const cut = () => Promise.reject(new Error('cut off'));
    const dying = webhooksBy({ ...channels, meta: { ...channels.meta, webhook: { ...webhook, set: cut } } });
    await expect(dying.set(world.workspaceId, shop.id, 'a test')).rejects.toThrow('cut off');
    expect(await stepsOf(shop)).toEqual([['a test', 'set-webhook', { step: 'begun' }]]);
  });
});
