/** Webhook tokens at the door: two valid ones while one replaces the other, the last use of each, the way back. */
import type { AccountId } from '@switchyard/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAccounts, type TokenListing, tokenOverlapMs, tokenQuietMs } from '#accounts';
import { silentLog } from '#kernel';
import { hashToken } from '#storage';
import { type Connected, channels, openWorld, publicUrl, type World } from '../gateway/world.ts';

let world: World;
let nowMs = Date.now();

/** Another process of the same installation, whose clock we move. */
function openAccounts() {
  const clock = { now: () => new Date(nowMs), elapsedMs: () => nowMs };
  return createAccounts({
    ...{ storage: world.db.storage, engines: world.engines, sealer: world.sealer, channels, publicUrl, clock },
    ...{ log: silentLog, noteChange: () => {} },
  });
}

let accounts: ReturnType<typeof openAccounts>;

beforeAll(async () => {
  world = await openWorld();
  accounts = openAccounts();
});
beforeEach(() => {
  nowMs = Date.now();
});
afterAll(async () => {
  await accounts.close();
  await world.close();
});

let numbers = 0;

function connect(): Promise<Connected> {
  numbers += 1;
  const settings = { instance: `shop-${numbers}` };
  return world.connect({ provider: 'evolution', settings, secrets: { apiKey: 'a key' } });
}

async function rotated(id: AccountId): Promise<string> {
  const result = await accounts.rotateToken(world.workspaceId, id);
  if (!result.ok) throw new Error(result.refusal.code);
  return result.value.token;
}

async function tokensOf(id: AccountId): Promise<(TokenListing & { readonly token: string })[]> {
  const listed = await accounts.listTokens(world.workspaceId);
  return listed
    .filter(({ account }) => account.id === id)
    .map((one) => ({ ...one, token: one.webhookUrl.split('/').at(-1) ?? '' }));
}

const leads = async (token: string) => (await accounts.lookUp('token', token)).kind === 'found';
const event = JSON.stringify({ event: 'application.startup', data: {} });
const headers = { 'content-type': 'application/json', apikey: 'a key' };

describe('a rotation', () => {
  it('leaves two valid tokens and refuses a third until one of them is gone', async () => {
    const { id, token } = await connect();
    const second = await rotated(id);
    expect([await leads(token), await leads(second)]).toEqual([true, true]);
    expect(await accounts.rotateToken(world.workspaceId, id)).toMatchObject({ refusal: { code: 'rotation_open' } });
    const [old] = await tokensOf(id);
    expect(await accounts.retireToken(world.workspaceId, id, old?.tokenId ?? '')).toMatchObject({ ok: true });
    expect([await leads(token), await leads(second)]).toEqual([false, true]);
    const third = await rotated(id);
    expect([await leads(second), await leads(third)]).toEqual([true, true]);
  });

  it('may be followed by another when its overlap has passed by itself', async () => {
    const { id } = await connect();
    await rotated(id);
    nowMs += tokenOverlapMs;
    await rotated(id);
    expect((await tokensOf(id)).filter(({ retiresAt }) => retiresAt === null)).toHaveLength(1);
  });

  it('does not retire the token in use, nor one of another account', async () => {
    const { id } = await connect();
    const other = await connect();
    const [current] = await tokensOf(id);
    const retire = (tokenId: string, account = id) => accounts.retireToken(world.workspaceId, account, tokenId);
    expect(await retire(current?.tokenId ?? '')).toMatchObject({ refusal: { code: 'token_current' } });
    expect(await retire(current?.tokenId ?? '', other.id)).toMatchObject({ refusal: { code: 'token_not_found' } });
    expect(await retire(crypto.randomUUID())).toMatchObject({ refusal: { code: 'token_not_found' } });
  });
});

describe('undo', () => {
  it('makes the old token the one in use, and lets the new one serve out an overlap', async () => {
    const { id, token } = await connect();
    const second = await rotated(id);
    expect(await accounts.undoRotation(world.workspaceId, id)).toMatchObject({ ok: true, value: { token } });
    expect([await leads(token), await leads(second)]).toEqual([true, true]);
    const byToken = new Map((await tokensOf(id)).map((one) => [one.token, one.retiresAt?.getTime() ?? null]));
    expect(byToken).toEqual(
      new Map([
        [token, null],
        [second, nowMs + tokenOverlapMs],
      ]),
    );
    const serving = await accounts.findServing(world.workspaceId, id);
    expect(serving?.webhookUrl).toContain(token);
  });

  it('brings back an old token that was retired meanwhile, in every cache', async () => {
    const { id, token } = await connect();
    await rotated(id);
    const [old] = await tokensOf(id);
    await accounts.retireToken(world.workspaceId, id, old?.tokenId ?? '');
    expect([await leads(token), (await world.accounts.lookUp('token', token)).kind]).toEqual([false, 'unknown']);
    await accounts.undoRotation(world.workspaceId, id);
    expect([await leads(token), (await world.accounts.lookUp('token', token)).kind]).toEqual([true, 'found']);
  });

  it('is refused where there is nothing to undo, or the overlap has passed', async () => {
    const { id } = await connect();
    const undo = () => accounts.undoRotation(world.workspaceId, id);
    expect(await undo()).toMatchObject({ refusal: { code: 'nothing_to_undo' } });
    await rotated(id);
    nowMs += tokenOverlapMs;
    expect(await undo()).toMatchObject({ refusal: { code: 'nothing_to_undo' } });
  });
});

describe('the last use', () => {
  it('is kept for each of two tokens, and for the old URL apart, without a statement on the way', async () => {
    const { id, token, path } = await connect();
    const instance = (await accounts.find(world.workspaceId, id))?.settings.instance ?? '';
    const second = await rotated(id);
    const secondPath = path.replace(token, second);
    const urls = [path, secondPath, `/webhooks/evolution/${instance}`];
    // Known to the gateway, so that what follows is the hit path.
    for (const url of urls) expect((await world.send(url, { method: 'POST', headers, body: event })).status).toBe(200);
    const { statements } = world.db.storage;
    const before = statements.gateway + statements.app;
    for (const url of urls) await world.send(url, { method: 'POST', headers, body: event });
    // A store of its own for each delivery, and nothing for who used what.
    expect(statements.gateway + statements.app - before).toBeLessThanOrEqual(urls.length);
    expect((await tokensOf(id)).map(({ lastUsedAt }) => lastUsedAt)).toEqual([null, null]);
    await world.accounts.close();
    const listed = await tokensOf(id);
    for (const one of listed) expect(Date.now() - Number(one.lastUsedAt)).toBeLessThan(60_000);
    expect(Date.now() - Number(listed[0]?.oldUrlHitAt)).toBeLessThan(60_000);
  });

  it('says of a replaced token that it is quiet after three days without one', async () => {
    const { id, token } = await connect();
    await rotated(id);
    const isQuiet = async () => (await tokensOf(id)).map((one) => one.isQuiet);
    nowMs += tokenQuietMs - 1;
    expect(await isQuiet()).toEqual([false, false]);
    nowMs += 1;
    expect(await isQuiet()).toEqual([true, false]);
    await world.db.ownerQuery('UPDATE webhook_tokens SET last_used_at = $2 WHERE token_hash = $1', [
      hashToken(token),
      new Date(nowMs - 1_000),
    ]);
    expect(await isQuiet()).toEqual([false, false]);
  });

  it('is not what a person does who only asks where a token leads', async () => {
    const { id, token } = await connect();
    const other = openAccounts();
    await other.lookUp('token', token);
    await other.close();
    expect((await tokensOf(id))[0]?.lastUsedAt).toBeNull();
  });
});
