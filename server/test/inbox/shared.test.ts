/** App-level routes, one delivery for many accounts; and authentic bodies that name accounts of others (promises 4 and 7). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replayDelivery } from '#inbox';
import type { Storage } from '#storage';
import {
  delivery,
  envelope,
  type InboxWorld,
  listeningLog,
  openInboxWorld,
  type Shop,
  sharedDelivery,
  text,
  value,
} from './world.ts';

let world: InboxWorld;
const log = listeningLog();

beforeAll(async () => {
  world = await openInboxWorld();
});
afterAll(() => world.close());

async function textsOf(shop: Shop): Promise<string[]> {
  const rows = await world.db.storage.inWorkspace(shop.workspaceId, (tx) =>
    tx.query<{ text: string }>(`SELECT text FROM messages WHERE direction = 'in' ORDER BY text`),
  );
  return rows.map((row) => row.text);
}

async function lettersOf(workspaceId: string) {
  return world.db.ownerQuery<{ reason: string; detail: string; path: string; delivery_id: string }>(
    'SELECT reason, detail, path, delivery_id FROM dead_letters WHERE workspace_id = $1 ORDER BY id',
    [workspaceId],
  );
}

const of = (shop: Shop, ...texts: string[]) => ({
  wabaId: shop.wabaId,
  values: [value(shop, { messages: texts.map((one) => text({ text: one })) })],
});
const nobody: Shop = { workspaceId: '' as never, accountId: '' as never, phoneNumberId: '1', wabaId: '2' };

describe('a delivery of the app-level route', () => {
  it('gives each account its events, and none of another workspace’s', async () => {
    const worker = world.worker();
    const [here, there] = [await world.shop(), await world.shop()];
    const sent = sharedDelivery(world, envelope([of(here, 'to here'), of(there, 'to there', 'to there too')]));
    await world.receiver().receive(sent);
    await world.settled();
    expect(await textsOf(here)).toEqual(['to here']);
    expect(await textsOf(there)).toEqual(['to there', 'to there too']);
    const [settled] = await world.db.ownerQuery('SELECT state, event_count, dead_count FROM inbox WHERE id = $1', [
      sent.id,
    ]);
    expect(settled).toEqual({ state: 'normalised', event_count: 3, dead_count: 0 });
    const owners = await world.db.ownerQuery(
      `SELECT DISTINCT e.workspace_id = a.workspace_id AS own FROM events e JOIN accounts a ON a.id = e.account_id`,
    );
    expect(owners).toEqual([{ own: true }]);
    await worker.stop(5_000);
  });

  it('counts as the webhook of each account in it, as one by its token does', async () => {
    const worker = world.worker();
    const [here, silent] = [await world.shop(), await world.shop()];
    await world.receiver().receive(sharedDelivery(world, envelope([of(here, 'to here')])));
    await world.settled();
    await world.accounts.flush();
    const told = async (shop: Shop) => world.accounts.find(shop.workspaceId, shop.accountId);
    expect(await told(here)).toMatchObject({ webhookStatus: 'active', lastWebhookAt: expect.any(Date) });
    expect(await told(silent)).toMatchObject({ webhookStatus: 'inactive', lastWebhookAt: null });
    await worker.stop(5_000);
  });

  it('says nothing of an account’s webhooks today when it is an old one that is replayed', async () => {
    const worker = world.worker();
    const here = await world.shop();
    const old = sharedDelivery(world, envelope([of(here, 'long ago')]));
    await world.receiver().receive(old);
    await world.settled();
    await world.accounts.flush();
    const broken = { events: [], error: 'the provider sends to another URL' };
    await world.accounts.noteSubscription(here.workspaceId, here.accountId, broken);
    expect(await replayDelivery(world.db.storage, world.operatorId, old.id)).toMatchObject({ isFound: true });
    await world.settled();
    await world.accounts.flush();
    const told = await world.accounts.find(here.workspaceId, here.accountId);
    expect(told).toMatchObject({ webhookStatus: 'error', webhookError: broken.error });
    await worker.stop(5_000);
  });

  it('ends what names an unknown number in the operator’s workspace, though its business account is known', async () => {
    const worker = world.worker();
    const here = await world.shop();
    const stranger = value({ phoneNumberId: '777000777' }, { messages: [text({ text: 'to nobody' })] });
    const entry = { wabaId: here.wabaId, values: [stranger, ...of(here, 'to here').values] };
    const sent = sharedDelivery(world, envelope([entry, of(nobody, 'to nobody at all')]));
    await world.receiver().receive(sent);
    await world.settled();
    expect(await textsOf(here)).toEqual(['to here']);
    const letters = (await lettersOf(world.operatorId)).filter((letter) => letter.delivery_id === sent.id);
    expect(letters).toMatchObject([
      { reason: 'unknown-account', path: '/entry/0/changes/0/value/messages/0' },
      { reason: 'unknown-account', path: '/entry/1/changes/0/value/messages/0' },
    ]);
    expect(await lettersOf(here.workspaceId)).toEqual([]);
    await worker.stop(5_000);
  });

  it('is done again without doubles when the worker dies between the workspaces', async () => {
    const [here, there] = [await world.shop(), await world.shop()];
    // An account of the operator's own makes the owner of the delivery one of its guests, and the first of them.
    const ids = { phoneNumberId: '388000000001', wabaId: '9388000000001' };
    const account = { provider: 'meta', settings: ids, secrets: { accessToken: 'a token' } } as const;
    const house = {
      ...ids,
      workspaceId: world.operatorId,
      accountId: await world.connect(world.operatorId, account),
    };
    const entries = [of(house, 'to the house'), of(here, 'to here'), of(there, 'to there')];
    const sent = sharedDelivery(world, envelope(entries));
    await world.receiver().receive(sent);
    for (const killedAt of [here.workspaceId, there.workspaceId]) {
      const worker = world.worker({ storage: dyingBefore(killedAt) });
      await world.eventually(async () => diedAt.has(killedAt));
      await worker.stop(1_000);
      expect(await stateOf(sent.id)).toBe('stored');
    }
    const worker = world.worker();
    await world.settled();
    expect(await textsOf(here)).toEqual(['to here']);
    expect(await textsOf(there)).toEqual(['to there']);
    expect(await textsOf(house)).toEqual(['to the house']);
    const [row] = await world.db.ownerQuery('SELECT state, duplicate_count FROM inbox WHERE id = $1', [sent.id]);
    expect(row).toEqual({ state: 'normalised', duplicate_count: 0 });
    await worker.stop(5_000);
  });

  it('is replayed into the workspaces whose events of it died', async () => {
    const here = await world.shop();
    const breaks = {
      name: 'breaks',
      async handle(): Promise<never> {
        throw new Error('broken');
      },
    };
    const limits = { retryDelayMs: 5, idleMs: 20 };
    const worker = world.worker({ parts: { middleware: [breaks] }, turnLimits: limits });
    const sent = sharedDelivery(world, envelope([of(here, 'to here')]));
    await world.receiver().receive(sent);
    await world.settled();
    await worker.stop(5_000);
    expect(await lettersOf(here.workspaceId)).toMatchObject([{ reason: 'failed' }]);
    const other = world.worker();
    expect(await replayDelivery(world.db.storage, world.operatorId, sent.id)).toEqual({
      isFound: true,
      revived: 1,
      isEmptied: false,
    });
    await world.settled();
    expect(await textsOf(here)).toEqual(['to here']);
    await other.stop(5_000);
  });
});

describe('ids of another account in an authentic body of a token route', () => {
  it('become a dead letter and an alarm; the rest is handled', async () => {
    const worker = world.worker({ log });
    const [here, there] = [await world.shop(), await world.shop()];
    const sent = delivery(here, envelope([of(there, 'not theirs'), of(here, 'ours')]));
    await world.receiver().receive(sent);
    await world.settled();
    expect(await textsOf(here)).toEqual(['ours']);
    expect(await textsOf(there)).toEqual([]);
    expect(await lettersOf(here.workspaceId)).toMatchObject([
      { reason: 'foreign-account', path: '/entry/0/changes/0/value/messages/0' },
    ]);
    expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([{ facts: { deliveryId: sent.id } }]);
    await worker.stop(5_000);
  });

  it('leave no message where the account was removed meanwhile', async () => {
    const here = await world.shop();
    await world.accounts.remove(here.workspaceId, here.accountId);
    const worker = world.worker();
    await world.receiver().receive(delivery(here, envelope([of(here, 'too late')])));
    await world.settled();
    expect(await lettersOf(here.workspaceId)).toMatchObject([{ reason: 'account-removed' }]);
    await worker.stop(5_000);
  });
});

const diedAt = new Set<string>();

/** Storage as a process sees it that is killed when it comes to this workspace: nothing of it commits any more. */
function dyingBefore(workspaceId: string): Storage {
  const { storage } = world.db;
  const gone = () => new Promise<never>(() => {});
  return {
    ...storage,
    inWorkspace: (id, work) => {
      if (id !== workspaceId) return storage.inWorkspace(id, work);
      diedAt.add(workspaceId);
      return gone();
    },
    workerStatement: (statement, values, name) =>
      name === 'inbox-lease-conversations' ? gone() : storage.workerStatement(statement, values, name),
    workerStatements: (statements) =>
      storage.workerStatements(
        statements.map((one) =>
          one.name === 'inbox-lease-shards' ? { ...one, values: [one.values[0], 50, one.values[2]] } : one,
        ),
      ),
  };
}

async function stateOf(id: string) {
  const [row] = await world.db.ownerQuery<{ state: string }>('SELECT state FROM inbox WHERE id = $1', [id]);
  return row?.state;
}
