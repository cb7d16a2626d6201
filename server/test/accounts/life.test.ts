/** Accounts through their life: defaults, what may be kept of them, pages, removal and return, webhooks. */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Accounts, NewAccount } from '#accounts';
import { newId } from '#kernel';
import { openWorld, type World } from '../gateway/world.ts';

let world: World;
let accounts: Accounts;
let workspaceId: WorkspaceId;
let ids = 300_000;

beforeAll(async () => {
  world = await openWorld();
  accounts = world.accounts;
});
afterAll(() => world.close());
beforeEach(async () => {
  const made = await world.workspaces.create(`Shop ${newId('workspace')}`);
  if (!made.ok) throw new Error(made.refusal.code);
  workspaceId = made.value.id;
});

const meta = (more: Partial<NewAccount> = {}): NewAccount => ({
  provider: 'meta',
  settings: { phoneNumberId: String(ids++) },
  secrets: { accessToken: 'an access token' },
  ...more,
});

async function made(account: NewAccount = meta()) {
  const result = await accounts.create(workspaceId, account);
  if (!result.ok) throw new Error(`${result.refusal.code}: ${result.refusal.detail}`);
  return result.value;
}

async function primaries() {
  return (await accounts.list(workspaceId)).filter((one) => one.isPrimary).map((one) => one.id);
}

describe('a new account', () => {
  it('is called by its number, starts disconnected and inactive, and wants the events that we make use of', async () => {
    const { account } = await made(meta({ phoneNumber: '0034 600 11 12 22' }));
    expect(account).toMatchObject({
      name: '+34600111222',
      phoneNumber: '+34600111222',
      connectionStatus: 'disconnected',
      isActive: false,
      webhookStatus: 'inactive',
      businessName: null,
      metadata: {},
      removedAt: null,
      webhookEvents: { subscribed: null, missing: [] },
    });
    expect(account.webhookEvents.wanted).toContain('messages');
  });

  it('has its own pace, if it names one that can be kept', async () => {
    const paced = (messagesPerSecond: string) =>
      accounts.create(workspaceId, meta({ settings: { phoneNumberId: String(ids++), messagesPerSecond } }));
    expect(await paced('20')).toMatchObject({
      ok: true,
      value: { account: { settings: { messagesPerSecond: '20' } } },
    });
    for (const wrong of ['0', '-1', 'fast', '1001', '1e3', ' 5']) {
      expect(await paced(wrong), wrong).toMatchObject({ ok: false, refusal: { code: 'field_malformed' } });
    }
  });

  it.each([
    ['meta', { phoneNumberId: 'the number' }],
    ['meta', { phoneNumberId: '1', graphVersion: 'latest' }],
    ['meta', { phoneNumberId: '1', baseUrl: 'file:///etc/passwd' }],
    ['twilio', { accountSid: 'AC1' }],
    ['evolution', { instance: 'shop', version: 'v3' }],
  ] as const)('of %s is refused with %j', async (provider, settings) => {
    const secrets = { meta: { accessToken: 'x' }, twilio: { authToken: 'x' }, evolution: { apiKey: 'x' } }[provider];
    expect(await accounts.create(workspaceId, { provider, settings, secrets })).toMatchObject({
      refusal: { code: 'field_malformed' },
    });
  });

  it('can be the primary one from the start', async () => {
    await made();
    const { account } = await made(meta({ isPrimary: true }));
    expect(await primaries()).toEqual([account.id]);
  });
});

describe('what is kept of an account', () => {
  it('is merged by name, and a null or an empty text takes away', async () => {
    const { account } = await made(meta({ metadata: { team: 'north', desk: 4 }, businessName: 'Nordic Shop' }));
    const changed = await accounts.update(workspaceId, account.id, {
      metadata: { desk: null, shift: 'late' },
      businessName: '',
    });
    expect(changed).toMatchObject({ value: { metadata: { team: 'north', shift: 'late' }, businessName: null } });
  });

  it('is not the code that a phone is linked by', async () => {
    const { account } = await made();
    expect(await accounts.update(workspaceId, account.id, { metadata: { qr: 'x' } })).toMatchObject({
      refusal: { code: 'unknown_field' },
    });
    await world.db.ownerQuery(`UPDATE accounts SET metadata = '{"qr": {"code": "canary"}}' WHERE id = $1`, [
      account.id,
    ]);
    expect(JSON.stringify(await accounts.find(workspaceId, account.id))).not.toContain('canary');
  });

  it('are the dates of its secrets: set anew, one has no known end', async () => {
    const endsAt = new Date('2026-12-24T00:00:00Z');
    const { account } = await made(meta({ secretEnds: { accessToken: endsAt } }));
    expect(account.secretDates).toEqual([{ name: 'accessToken', setAt: expect.any(Date), endsAt }]);
    const changed = await accounts.update(workspaceId, account.id, { secrets: { accessToken: 'a newer one' } });
    expect(changed).toMatchObject({ value: { secretDates: [{ name: 'accessToken', endsAt: null }] } });
    expect(await accounts.update(workspaceId, account.id, { secretEnds: { appSecret: endsAt } })).toMatchObject({
      refusal: { code: 'unknown_field' },
    });
  });

  it('is the difference between the events it wants and those that the provider sends', async () => {
    const { account } = await made(meta({ wantedWebhookEvents: ['messages', 'account_update'] }));
    const told = await accounts.noteSubscription(workspaceId, account.id, { events: ['messages', 'security'] });
    expect(told).toMatchObject({
      value: { webhookEvents: { missing: ['account_update'], unwanted: ['security'], checkedAt: expect.any(Date) } },
    });
    const lost = await accounts.noteSubscription(workspaceId, account.id, { events: [], error: 'no URL is set' });
    expect(lost).toMatchObject({ value: { webhookStatus: 'error', webhookError: 'no URL is set' } });
  });
});

describe('pages', () => {
  it('hold every account once: the primary one first, then the newest', async () => {
    const all = [];
    for (let count = 0; count < 5; count += 1) all.push((await made()).account.id);
    await accounts.setPrimary(workspaceId, all[2]!);
    const seen: AccountId[] = [];
    let cursor: string | null = null;
    do {
      const page = await accounts.listPage(workspaceId, { limit: 2, ...(cursor ? { cursor } : {}) });
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen).toEqual([all[2], all[4], all[3], all[1], all[0]]);
    expect((await accounts.list(workspaceId)).map(({ id }) => id)).toEqual(seen);
  });

  it('of removed accounts hold those alone', async () => {
    const gone = (await made()).account.id;
    const stays = (await made()).account.id;
    await accounts.remove(workspaceId, gone);
    const page = async (isRemoved: boolean) =>
      (await accounts.listPage(workspaceId, { limit: 10, isRemoved })).data.map(({ id }) => id);
    expect(await page(true)).toEqual([gone]);
    expect(await page(false)).toEqual([stays]);
  });
});

describe('a removed account', () => {
  it('comes back disconnected and inactive, with a new token and its ids', async () => {
    const account = meta({ phoneNumber: '+34600111333', isActive: true });
    const { account: before, token } = await made(account);
    await world.db.storage.inWorkspace(workspaceId, (tx) =>
      accounts.applyConnection(tx, before.id, { kind: 'report', status: 'connected', actor: 'provider' }),
    );
    await accounts.remove(workspaceId, before.id);
    const restored = await accounts.restore(workspaceId, before.id);
    if (!restored.ok) throw new Error(restored.refusal.code);
    expect(restored.value.account).toMatchObject({
      id: before.id,
      connectionStatus: 'disconnected',
      isActive: false,
      isPrimary: true,
      heldSecrets: ['accessToken'],
    });
    expect(await accounts.route('token', token)).toMatchObject({ kind: 'unknown' });
    for (const [kind, key] of [
      ['token', restored.value.token],
      ['phone_number_id', account.settings.phoneNumberId!],
    ] as const) {
      expect(await accounts.route(kind, key)).toMatchObject({ account: { accountId: before.id } });
    }
  });

  it('stays away when its number or its id was taken meanwhile, or when it was not removed', async () => {
    const { account: byPhone } = await made(meta({ phoneNumber: '+34600111444' }));
    const { account: byId } = await made(meta({ settings: { phoneNumberId: '299999' } }));
    expect(await accounts.restore(workspaceId, byId.id)).toMatchObject({ refusal: { code: 'not_removed' } });
    await accounts.remove(workspaceId, byPhone.id);
    await accounts.remove(workspaceId, byId.id);
    await made(meta({ phoneNumber: '+34600111444' }));
    await made(meta({ settings: { phoneNumberId: '299999' } }));
    expect(await accounts.restore(workspaceId, byPhone.id)).toMatchObject({ refusal: { code: 'phone_taken' } });
    expect(await accounts.restore(workspaceId, byId.id)).toMatchObject({ refusal: { code: 'route_taken' } });
    expect((await accounts.listPage(workspaceId, { limit: 10, isRemoved: true })).data).toHaveLength(2);
    expect(await accounts.restore(workspaceId, newId('account'))).toMatchObject({
      refusal: { code: 'account_not_found' },
    });
  });
});

describe('the primary account', () => {
  it('is exactly one of its channel, however many are named at once', async () => {
    const all = [];
    for (let count = 0; count < 6; count += 1) all.push((await made()).account.id);
    const named = [...all, ...all.toReversed(), ...all];
    const results = await Promise.all(named.map((id) => accounts.setPrimary(workspaceId, id)));
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(await primaries()).toHaveLength(1);
    await Promise.all([
      ...all.slice(0, 4).map((id) => accounts.remove(workspaceId, id)),
      ...all.map((id) => accounts.setPrimary(workspaceId, id)),
    ]);
    expect(await primaries()).toHaveLength(1);
    expect(all.slice(4)).toContain((await primaries())[0]);
  });
});

describe('people', () => {
  it('connect and disconnect, and are told the state that forbids it', async () => {
    const { account } = await made();
    const move = (act: 'connect' | 'disconnect') =>
      accounts.moveConnection(workspaceId, account.id, { act, actor: 'person per_1', reason: 'moving house' });
    expect(await move('disconnect')).toMatchObject({ refusal: { code: 'connection_forbids', state: 'disconnected' } });
    expect(await move('connect')).toMatchObject({ value: { connectionStatus: 'connecting' } });
    expect(await move('disconnect')).toMatchObject({
      value: { connectionStatus: 'disconnected', connectionError: 'moving house' },
    });
    const history = await accounts.listConnectionChanges(workspaceId, account.id, 10);
    expect(history.map(({ previous, next, actor }) => `${previous} ${next} ${actor}`)).toEqual([
      'connecting disconnected person per_1',
      'disconnected connecting person per_1',
    ]);
  });
});

describe('an authentic webhook', () => {
  /** As the gateway notes it; `flush` is what the timer does. */
  async function webhookOf(id: AccountId) {
    const serving = await accounts.findServing(workspaceId, id);
    if (!serving) throw new Error('not there');
    accounts.noteWebhook(serving);
    await accounts.flush();
    return accounts.find(workspaceId, id);
  }

  it('makes the webhooks active and connects an account that is reached by credentials', async () => {
    const { account } = await made();
    await accounts.noteSubscription(workspaceId, account.id, { events: [], error: 'no URL is set' });
    expect(await webhookOf(account.id)).toMatchObject({
      webhookStatus: 'active',
      webhookError: null,
      connectionStatus: 'connected',
      lastWebhookAt: expect.any(Date),
      lastConnectedAt: expect.any(Date),
    });
  });

  it('does not connect what a person has disconnected, until that person connects it again', async () => {
    const { account } = await made();
    await webhookOf(account.id);
    const wish = { actor: 'person per_1' };
    await accounts.moveConnection(workspaceId, account.id, { act: 'disconnect', ...wish });
    expect(await webhookOf(account.id)).toMatchObject({ connectionStatus: 'disconnected', webhookStatus: 'active' });
    await accounts.moveConnection(workspaceId, account.id, { act: 'connect', ...wish });
    expect(await webhookOf(account.id)).toMatchObject({ connectionStatus: 'connected' });
  });

  it('says nothing of whether a phone is linked', async () => {
    const settings = { instance: `paired-${ids++}` };
    const { account } = await made({ provider: 'evolution', settings, secrets: { apiKey: 'k' } });
    expect(await webhookOf(account.id)).toMatchObject({ webhookStatus: 'active', connectionStatus: 'disconnected' });
  });
});
