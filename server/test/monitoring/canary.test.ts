/** Canaries: through the whole chain of each kind of account, held, with the time of each hop. */
import type { AccountId, DeliveryId, Provider } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewAccount } from '#accounts';
import { createConversations } from '#conversations';
import { fixedClock } from '#kernel';
import type { Monitoring } from '#monitoring';
import type { Shop } from '../inbox/world.ts';
import { type MonitoringWorld, openMonitoringWorld } from './world.ts';

let world: MonitoringWorld;
beforeAll(async () => {
  world = await openMonitoringWorld();
});
afterAll(() => world.close());

const accounts: Readonly<Record<Provider, Omit<NewAccount, 'provider'>>> = {
  meta: {
    settings: { phoneNumberId: '700700700700', wabaId: '700700700701' },
    secrets: { accessToken: 'a', appSecret: 'b', verifyToken: 'c' },
  },
  instagram: {
    settings: { instagramId: '17840000000000777' },
    secrets: { accessToken: 'a', appSecret: 'b', verifyToken: 'c' },
  },
  twilio: {
    settings: { accountSid: `AC${'7'.repeat(32)}`, sender: 'whatsapp:+15550107777' },
    secrets: { authToken: 'a' },
  },
  evolution: {
    settings: { instance: 'canary', baseUrl: 'http://127.0.0.1:1' },
    secrets: { apiKey: 'a-key-of-evolution' },
  },
  webjs: { settings: { session: 'canary', baseUrl: 'http://127.0.0.1:1' }, secrets: { webhookKey: 'k', apiKey: 'a' } },
};

const look = (monitoring: Monitoring, shop: Shop, id: DeliveryId) =>
  world.db.storage.inWorkspace(shop.workspaceId, (tx) => monitoring.canaries.look(tx, id));

const connect = (shop: Shop, provider: Provider): Promise<AccountId> =>
  world.connect(shop.workspaceId, { ...accounts[provider], provider, isActive: true });

describe('a canary', () => {
  it.each(Object.keys(accounts) as Provider[])(
    'passes every hop of an account of %s, by HTTP and by the store, and nothing of it goes out',
    async (provider) => {
      const shop = await world.shop();
      const accountId = await connect(shop, provider);
      const { canaryDoor, close } = await world.gateway();
      const monitoring = world.monitoring({ canaryDoor });
      const worker = world.worker();
      const passThrough = async () => {
        const id = await monitoring.canaries.run(shop.workspaceId, accountId);
        if (!id) throw new Error('the account is switched on');
        return world.eventually(async () => {
          const seen = await look(monitoring, shop, id);
          return seen?.state === 'running' ? undefined : seen;
        });
      };
      const runs = [await passThrough()];
      await close();
      canaryDoor.listensAt(null);
      runs.push(await passThrough());
      await worker.stop(5_000);
      expect(runs).toMatchObject(['gateway', 'store'].map((entrance) => ({ state: 'passed', error: null, entrance })));
      for (const run of runs) {
        const times = run?.hops.map(({ ms }) => ms ?? -1) ?? [];
        expect(times.every((ms, index) => ms >= (times[index - 1] ?? 0))).toBe(true);
      }
      const sent = await world.db.ownerQuery<{ state: string }>('SELECT state FROM outbox WHERE workspace_id = $1', [
        shop.workspaceId,
      ]);
      expect(sent.length).toBeGreaterThan(0);
      expect(sent.every(({ state }) => state === 'held')).toBe(true);
      const kept = await world.db.ownerQuery<{ is_test: boolean; headers: object; body: Buffer }>(
        'SELECT is_test, headers, body FROM deliveries WHERE workspace_id = $1',
        [shop.workspaceId],
      );
      expect(kept.map(({ is_test }) => is_test)).toEqual([true, true]);
      const written = kept.map(({ headers, body }) => JSON.stringify(headers) + body.toString()).join();
      for (const secret of Object.values(accounts[provider].secrets).filter((text) => text.length > 1))
        expect(written).not.toContain(secret);
      const [conversation] = await world.db.ownerQuery<{ unread_count: number; last_message_at: Date | null }>(
        'SELECT unread_count, last_message_at FROM conversations WHERE workspace_id = $1',
        [shop.workspaceId],
      );
      expect(conversation).toEqual({ unread_count: 0, last_message_at: null });
      const listed = await world.db.storage.inWorkspace(shop.workspaceId, (tx) =>
        createConversations().listConversations(tx, { limit: 10 }),
      );
      expect(listed.data).toEqual([]);
    },
  );

  it('is late, and an alarm, while no worker is there; the next that passes ends it', async () => {
    const shop = await world.shop();
    const { accountId } = shop;
    await world.accounts.update(shop.workspaceId, accountId, {
      isActive: true,
      secrets: { appSecret: 'an app secret' },
    });
    const now = world.monitoring();
    const inAWhile = world.monitoring({ clock: fixedClock(new Date(Date.now() + 120_000)) });
    await world.db.storage.inWorkspace(shop.workspaceId, (tx) => now.canaries.setSchedule(tx, accountId, 15));
    const watch = async (monitoring: Monitoring) => {
      await monitoring.jobs['canary-round']?.run();
      return world.db.storage.inWorkspace(shop.workspaceId, (tx) => monitoring.alarms.incidents(tx, { limit: 5 }));
    };
    expect(await watch(now)).toEqual([]);
    const [run] = await world.db.storage.inWorkspace(shop.workspaceId, (tx) => now.canaries.latest(tx, 5));
    expect(run?.state).toBe('running');
    expect(await watch(inAWhile)).toMatchObject([
      { kind: 'canary', accountId, facts: { hop: 'normalised' }, resolvedAt: null },
    ]);
    const worker = world.worker();
    await world.settled();
    await worker.stop(5_000);
    expect(await watch(now)).toMatchObject([{ kind: 'canary', resolvedAt: expect.any(Date) }]);
    const runs = await world.db.storage.inWorkspace(shop.workspaceId, (tx) => now.canaries.latest(tx, 5));
    expect(runs).toHaveLength(1);
  });

  it('is not sent for an account that is switched off, or is another workspace’s', async () => {
    const shop = await world.shop();
    const stranger = await world.shop();
    const { canaries } = world.monitoring();
    await world.accounts.update(shop.workspaceId, shop.accountId, { isActive: false });
    expect(await canaries.run(shop.workspaceId, shop.accountId)).toBeNull();
    expect(await canaries.run(stranger.workspaceId, shop.accountId)).toBeNull();
  });

  it('is signed by the operator’s app secret where the account has none', async () => {
    const shop = await world.shop();
    await world.accounts.update(shop.workspaceId, shop.accountId, { isActive: true });
    const monitoring = world.monitoring({ appSecrets: { meta: ['the operator’s'], instagram: [] } });
    const id = await monitoring.canaries.run(shop.workspaceId, shop.accountId);
    expect(id && (await look(monitoring, shop, id))).toMatchObject({ state: 'running', error: null });
    await world.db.ownerQuery(`UPDATE inbox SET state = 'normalised' WHERE state = 'stored'`);
  });

  it('fails where the listener does not answer, or its token leads nowhere', async () => {
    const shop = await world.shop();
    const { accountId } = shop;
    await world.accounts.update(shop.workspaceId, accountId, { isActive: true, secrets: { appSecret: 'a secret' } });
    const { canaryDoor, close } = await world.gateway();
    const { canaries } = world.monitoring({ canaryDoor });
    const see = async () => {
      const id = await canaries.run(shop.workspaceId, accountId);
      return id && (await look(world.monitoring(), shop, id));
    };
    canaryDoor.listensAt(`${canaryDoor.url}/elsewhere`);
    expect(await see()).toMatchObject({ state: 'failed', error: 'was answered 404 at the gateway' });
    await close();
    expect(await see()).toMatchObject({ state: 'failed', error: expect.stringContaining('no answer at the gateway') });
  });

  it('cannot be sent by anybody else: a word that is not ours is answered like an unknown webhook', async () => {
    const shop = await world.shop();
    await world.accounts.update(shop.workspaceId, shop.accountId, { isActive: true });
    const { canaryDoor, close } = await world.gateway();
    const account = await world.accounts.findServing(shop.workspaceId, shop.accountId);
    const path = new URL(account?.webhookUrl ?? '', 'http://localhost').pathname;
    const headers = { 'x-switchyard-canary': 'a word', 'content-type': 'application/json' };
    const answer = await fetch(`${canaryDoor.url}${path}`, { method: 'POST', headers, body: '{}' });
    expect(answer.status).toBe(404);
    await close();
  });

  it('says so when the account’s own signature is refused', async () => {
    const shop = await world.shop();
    const { accountId } = shop;
    await world.accounts.update(shop.workspaceId, accountId, { isActive: true });
    const monitoring = world.monitoring();
    const id = await monitoring.canaries.run(shop.workspaceId, accountId);
    const run = id && (await look(monitoring, shop, id));
    expect(run).toMatchObject({ state: 'failed', error: expect.stringContaining('is refused') });
  });
});
