/** The door of accounts: who may hold what, who is primary, which tokens are valid, what is kept secret. */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Accounts, isBoundTo, type NewAccount, type ServingAccount, tokenOverlapMs } from '#accounts';
import { newId } from '#kernel';
import { hashToken } from '#storage';
import { openWorld, type World } from '../gateway/world.ts';

let world: World;
let accounts: Accounts;
let other: WorkspaceId;

beforeAll(async () => {
  world = await openWorld();
  accounts = world.accounts;
  const made = await world.workspaces.create('Another shop');
  if (!made.ok) throw new Error(made.refusal.code);
  other = made.value.id;
});
afterAll(() => world.close());

const meta = (phoneNumberId: string, more: Partial<NewAccount> = {}): NewAccount => ({
  provider: 'meta',
  settings: { phoneNumberId },
  secrets: { accessToken: 'an access token' },
  ...more,
});

async function made(account: NewAccount, workspaceId = world.workspaceId) {
  const result = await accounts.create(workspaceId, account);
  if (!result.ok) throw new Error(`${result.refusal.code}: ${result.refusal.detail}`);
  return result.value;
}

async function refusalOf(account: NewAccount, workspaceId = world.workspaceId) {
  const result = await accounts.create(workspaceId, account);
  return result.ok ? null : result.refusal;
}

describe('create', () => {
  it('gives a token of 256 bits and the URL that holds it', async () => {
    const { token, webhookUrl } = await made(meta('1001'));
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(webhookUrl).toBe(`https://hooks.example.com/webhooks/meta/whatsapp/${token}`);
  });

  it('keeps secrets and token sealed, and shows the names of secrets only', async () => {
    const { account, token } = await made(meta('1002', { secrets: { accessToken: 'EAAG-canary', appSecret: 'cnry' } }));
    expect(account.heldSecrets).toEqual(['accessToken', 'appSecret']);
    expect(JSON.stringify(account)).not.toMatch(/canary|cnry/);
    const rows = await world.db.ownerQuery<{ text: string }>(
      `SELECT (a.*)::text || (t.*)::text || (r.*)::text AS text FROM accounts a
       JOIN webhook_tokens t ON t.account_id = a.id JOIN routes r ON r.account_id = a.id WHERE a.id = $1`,
      [account.id],
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { text } of rows) {
      for (const secret of ['EAAG-canary', 'cnry', token]) {
        expect(text).not.toContain(secret);
        expect(text).not.toContain(Buffer.from(secret).toString('hex'));
      }
    }
    expect(rows.some(({ text }) => text.includes(hashToken(token)))).toBe(true);
  });

  it('refuses a provider id that is held already, in the same words whoever holds it', async () => {
    await made(meta('1003', { name: 'the holder' }));
    const here = await refusalOf(meta('1003'));
    const elsewhere = await refusalOf(meta('1003'), other);
    expect(here).toMatchObject({ code: 'route_taken', retry: { kind: 'never' } });
    expect(elsewhere).toEqual(here);
    expect(JSON.stringify(elsewhere)).not.toContain('the holder');
    expect(await accounts.list(other)).toEqual([]);
  });

  it('lets two numbers of one workspace share a business account, but no other workspace', async () => {
    await made(meta('1004', { settings: { phoneNumberId: '1004', wabaId: '777' } }));
    await made(meta('1005', { settings: { phoneNumberId: '1005', wabaId: '777' } }));
    expect(await refusalOf(meta('1006', { settings: { phoneNumberId: '1006', wabaId: '777' } }), other)).toMatchObject({
      code: 'route_taken',
    });
  });

  it('lets two workspaces have the same verify token, and tells neither', async () => {
    const secrets = { accessToken: 'x', verifyToken: 'verify-me' };
    await made(meta('1007', { secrets }));
    await made(meta('1008', { secrets }), other);
  });

  it.each([
    ['a missing setting', { settings: {} }, 'missing_field'],
    ['a missing secret', { secrets: {} }, 'missing_field'],
    ['a setting that there is not', { settings: { phoneNumberId: '1', colour: 'red' } }, 'unknown_field'],
    ['a number without its country', { phoneNumber: '0155 5012' }, 'phone_malformed'],
    ['a token that fits no path', { token: 'a/b?c-and-some-more' }, 'token_malformed'],
    ['a token as short as a word', { token: 'test' }, 'token_malformed'],
  ])('refuses %s', async (_name, wrong, code) => {
    expect(await refusalOf(meta('1009', wrong as Partial<NewAccount>))).toMatchObject({ code });
  });

  it('refuses a token that is in use, and keeps the text of an imported one', async () => {
    const token = 'imported_token.of-an~older_system';
    expect((await made(meta('1010', { token }))).token).toBe(token);
    expect(await refusalOf(meta('1011', { token }), other)).toMatchObject({ code: 'route_taken' });
  });

  it('refuses a second account with the number, and with the id, of one that is there', async () => {
    const { account } = await made(meta('1012', { phoneNumber: '+1 (555) 010-0001' }));
    expect(account.phoneNumber).toBe('+15550100001');
    expect(await refusalOf(meta('1013', { phoneNumber: '+15550100001' }))).toMatchObject({ code: 'phone_taken' });
    expect(await refusalOf(meta('1014', { id: account.id }))).toMatchObject({ code: 'account_exists' });
  });
});

describe('the primary account', () => {
  it('is the first of its channel, moves when told, and passes on when it is removed', async () => {
    const shop = await world.workspaces.create('A third shop');
    if (!shop.ok) throw new Error(shop.refusal.code);
    const { id } = shop.value;
    const first = await made(meta('2001'), id);
    const second = await made(meta('2002'), id);
    const instagram = await made(
      { provider: 'instagram', settings: { instagramId: '2003' }, secrets: { accessToken: 'x' } },
      id,
    );
    const primaries = async () =>
      (await accounts.list(id))
        .filter((one) => one.isPrimary)
        .map((one) => one.id)
        .sort();
    expect(await primaries()).toEqual([first.account.id, instagram.account.id].sort());
    expect(await accounts.setPrimary(id, second.account.id)).toMatchObject({ ok: true, value: { isPrimary: true } });
    expect(await primaries()).toEqual([second.account.id, instagram.account.id].sort());
    await accounts.remove(id, second.account.id);
    expect(await primaries()).toEqual([first.account.id, instagram.account.id].sort());
  });

  it('is one, even if two are made at once', async () => {
    const shop = await world.workspaces.create('A fourth shop');
    if (!shop.ok) throw new Error(shop.refusal.code);
    await Promise.all(['2101', '2102', '2103'].map((phoneNumberId) => made(meta(phoneNumberId), shop.value.id)));
    expect((await accounts.list(shop.value.id)).filter((one) => one.isPrimary)).toHaveLength(1);
  });
});

describe('another workspace', () => {
  it('can neither see nor change an account', async () => {
    const { account } = await made(meta('3001'));
    expect(await accounts.find(other, account.id)).toBeNull();
    expect(await accounts.findServing(other, account.id)).toBeNull();
    for (const result of [
      await accounts.update(other, account.id, { name: 'mine' }),
      await accounts.setPrimary(other, account.id),
      await accounts.rotateToken(other, account.id),
      await accounts.remove(other, account.id),
    ]) {
      expect(result).toMatchObject({ ok: false, refusal: { code: 'account_not_found' } });
    }
    expect((await accounts.listTokens(other)).map((token) => token.account.id)).not.toContain(account.id);
  });
});

describe('update', () => {
  it('merges settings and secrets by name, takes away what is empty, and lets go of the old id', async () => {
    const { account } = await made(meta('4001', { secrets: { accessToken: 'x', appSecret: 'y' } }));
    const result = await accounts.update(world.workspaceId, account.id, {
      settings: { phoneNumberId: '4002' },
      secrets: { appSecret: '' },
      name: 'Renamed',
    });
    expect(result).toMatchObject({ ok: true, value: { name: 'Renamed', heldSecrets: ['accessToken'] } });
    expect(await accounts.route('phone_number_id', '4001')).toMatchObject({ kind: 'unknown' });
    expect(await accounts.route('phone_number_id', '4002')).toMatchObject({ account: { accountId: account.id } });
    expect(await refusalOf(meta('4001'), other)).toBeNull();
  });

  it('changes nothing when it is refused', async () => {
    await made(meta('4003'));
    const { account } = await made(meta('4004'));
    const result = await accounts.update(world.workspaceId, account.id, {
      name: 'Half',
      settings: { phoneNumberId: '4003' },
    });
    expect(result).toMatchObject({ ok: false, refusal: { code: 'route_taken' } });
    expect(await accounts.find(world.workspaceId, account.id)).toMatchObject({
      name: account.name,
      settings: { phoneNumberId: '4004' },
    });
  });
});

describe('tokens', () => {
  it('overlap when they are rotated, and are listed with their URLs', async () => {
    const { account, token } = await made(meta('5001'));
    const rotated = await accounts.rotateToken(world.workspaceId, account.id);
    if (!rotated.ok) throw new Error(rotated.refusal.code);
    for (const one of [token, rotated.value.token]) {
      expect(await accounts.route('token', one)).toMatchObject({ account: { accountId: account.id } });
    }
    const listed = (await accounts.listTokens(null)).filter((one) => one.account.id === account.id);
    expect(listed.map((one) => one.webhookUrl.split('/').at(-1))).toEqual([token, rotated.value.token]);
    const leftMs = (listed[0]?.retiresAt?.getTime() ?? 0) - Date.now();
    expect(leftMs).toBeGreaterThan(tokenOverlapMs - 60_000);
    expect(leftMs).toBeLessThanOrEqual(tokenOverlapMs);
    expect(listed[1]?.retiresAt).toBeNull();
  });

  it('end with their overlap', async () => {
    const { account, token } = await made(meta('5002'));
    await accounts.rotateToken(world.workspaceId, account.id);
    await world.db.ownerQuery(`UPDATE routes SET retires_at = now() - interval '1 s' WHERE key = $1`, [
      hashToken(token),
    ]);
    expect(await accounts.route('token', token)).toMatchObject({ kind: 'unknown' });
  });

  it('and ids of a removed account are free again', async () => {
    const { account, token } = await made(meta('5003'));
    await accounts.remove(world.workspaceId, account.id);
    expect(await accounts.route('token', token)).toMatchObject({ kind: 'unknown' });
    expect(await accounts.find(world.workspaceId, account.id)).toBeNull();
    expect(await accounts.findServing(world.workspaceId, account.id)).toMatchObject({ isDeleted: true });
    expect(await refusalOf(meta('5003'), other)).toBeNull();
  });
});

describe('account events', () => {
  it('move the connection and keep what the provider said', async () => {
    const { account } = await made(meta('6001'));
    const event = (more: object) =>
      ({
        ...{ kind: 'account', type: 'connection', name: 'connection.update', key: newId('event'), occurredAt: null },
        ...{ bindings: [], path: '', facts: {} },
        ...more,
      }) as never;
    await world.db.storage.inWorkspace(world.workspaceId, async (tx) => {
      await accounts.applyEvent(tx, account.id, event({ connection: 'error', facts: { reason: 'logged out' } }));
      await accounts.applyEvent(tx, account.id, event({ type: 'quality', name: 'phone_number_quality_update' }));
    });
    expect(await accounts.find(world.workspaceId, account.id)).toMatchObject({
      connectionStatus: 'error',
      connectionError: 'logged out',
    });
  });
});

describe('isBoundTo', () => {
  const holding = (...bindings: string[]) => ({ bindings: new Set(bindings) }) as unknown as ServingAccount;
  const account = holding('phone_number_id:1', 'waba_id:2');
  const twilioService = holding('twilio_account:AC1');

  it.each([
    ['an event that names nobody', account, [], true],
    ['its own number', account, [{ kind: 'phone_number_id', value: '1' }], true],
    ['its own business account', account, [{ kind: 'waba_id', value: '2' }], true],
    ['another number', account, [{ kind: 'phone_number_id', value: '9' }], false],
    [
      'its own business account but another number',
      account,
      [
        { kind: 'waba_id', value: '2' },
        { kind: 'phone_number_id', value: '9' },
      ],
      false,
    ],
    ['its number where the entry’s id should be', account, [{ kind: 'waba_id', value: '1' }], true],
    ['an id of a kind it does not hold', account, [{ kind: 'instance', value: '1' }], false],
    [
      'a sender of its messaging service',
      twilioService,
      [
        { kind: 'twilio_account', value: 'AC1' },
        { kind: 'twilio_address', value: 'whatsapp:+1' },
      ],
      true,
    ],
    [
      'a sender of another Twilio account',
      twilioService,
      [
        { kind: 'twilio_account', value: 'AC2' },
        { kind: 'twilio_address', value: 'whatsapp:+1' },
      ],
      false,
    ],
  ] as const)('judges %s', (_name, holder, bindings, expected) => {
    expect(isBoundTo(holder, bindings)).toBe(expected);
  });
});

describe('an account that is not there', () => {
  it('is refused by every change', async () => {
    const nobody = newId('account') as AccountId;
    expect(await accounts.update(world.workspaceId, nobody, { name: 'x' })).toMatchObject({ ok: false });
    expect(await accounts.remove(world.workspaceId, nobody)).toMatchObject({ ok: false });
  });
});
