/** People of accounts without an official interface: what is kept of them besides messages and bodies. */
import type { AccountId } from '@switchyard/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Shop } from '../inbox/world.ts';
import { never, openPrivacyWorld, type PrivacyWorld, somebody, type Talk } from './world.ts';

let world: PrivacyWorld;
beforeAll(async () => {
  world = await openPrivacyWorld();
});
afterAll(() => world.close());

const jidOf = ({ phone }: Talk) => `${phone}@s.whatsapp.net`;

const said = (who: Talk, id: string) => ({
  key: { remoteJid: jidOf(who), fromMe: false, id },
  pushName: who.name,
  message: { conversation: who.secret },
  messageTimestamp: Math.floor(Date.now() / 1_000),
});

/** A number that was looked up before the first word, as the gate keeps it. */
const lookedUp = ({ workspaceId }: Shop, accountId: AccountId, { phone }: Talk) =>
  world.inbox.db.ownerQuery(
    'INSERT INTO number_checks (workspace_id, account_id, phone, is_on_whatsapp) VALUES ($1, $2, $3, true)',
    [workspaceId, accountId, `+${phone}`],
  );

test('of a person of a web client’s session no name of a key tells, by number or by LID; others’ keys stay', async () => {
  const shop = await world.inbox.shop();
  const [ana, ben] = [somebody(), somebody()];
  const accountId = await world.inbox.connect(shop.workspaceId, {
    ...{ provider: 'webjs', settings: { session: 'first' }, secrets: { webhookKey: 'hook', apiKey: 'key' } },
  });
  for (const one of [ana, ben]) {
    const payload = { messages: [said(one, `IN${one.phone}`)], type: 'notify' };
    const envelope = { id: `evt_${one.phone}`, timestamp: Date.now(), event: 'messages.upsert', session: 'first' };
    await world.deliverBodies({ ...shop, accountId }, [{ ...envelope, payload }], { provider: 'webjs' });
    await lookedUp(shop, accountId, one);
  }
  const { companions } = world.inbox;
  const leased = await companions.takeLease(null, accountId, { holder: 'a machine', leaseMs: 60_000 });
  if (leased.kind !== 'leased') throw new Error(leased.kind);
  const lidOf = ({ phone }: Talk) => `99${phone}`;
  const keysOf = (one: Talk) => [
    ...[`session/${one.phone}.0`, `session/${lidOf(one)}_1.0`, `device-list/${one.phone}`, `tctoken/${lidOf(one)}@lid`],
    ...[`identity-key/${lidOf(one)}_1.0`, `sender-key/120363000000000001@g.us::${lidOf(one)}_1.0`],
    ...[`lid-mapping/${one.phone}`, `lid-mapping/${lidOf(one)}_reverse`],
  ];
  const ours = [
    'creds',
    `pre-key/${ana.phone}`,
    'app-state-sync-version/regular',
    'sender-key-memory/120363000000000001@g.us',
  ];
  const changes = Object.fromEntries([...keysOf(ana), ...keysOf(ben), ...ours].map((name) => [name, '{}' as string]));
  for (const one of [ana, ben]) changes[`lid-mapping/${one.phone}`] = JSON.stringify(lidOf(one));
  const account = (await companions.find(null, accountId))!;
  expect(await companions.writeState(account, leased.lease.fence, changes)).toBe(true);

  await world.erase(shop, ana);
  const left = await world.inbox.db.ownerQuery<{ name: string }>(
    'SELECT name FROM session_states WHERE account_id = $1',
    [accountId],
  );
  expect(left.map(({ name }) => name).toSorted()).toEqual([...keysOf(ben), ...ours].toSorted());
  const [receipt] = (await world.privacy.listErasures(shop.workspaceId, { limit: 1 })).data;
  expect(receipt?.counts).toMatchObject({ sessionKeys: 8, numberChecks: 1 });
  await companions.writeState(account, leased.lease.fence, { [`pre-key/${ana.phone}`]: null });
  await world.expectGone(ana);
  expect(await world.whereIs(ben.phone)).toEqual(
    expect.arrayContaining(['number_checks.phone', 'session_states.name']),
  );
});

test('a person of an Evolution instance leaves no number that was looked up', async () => {
  const shop = await world.inbox.shop();
  const ana = somebody();
  const settings = { instance: 'clinic', baseUrl: 'https://evolution.example.com' };
  const accountId = await world.inbox.connect(shop.workspaceId, {
    ...{ provider: 'evolution', settings, secrets: { apiKey: 'a key' } },
  });
  const body = {
    event: 'messages.upsert',
    instance: 'clinic',
    data: { ...said(ana, 'IN1'), messageType: 'conversation' },
  };
  await world.deliverBodies({ ...shop, accountId }, [body], { provider: 'evolution' });
  await lookedUp(shop, accountId, ana);
  expect(await world.whereIs(ana.phone)).toEqual(expect.arrayContaining(['number_checks.phone', 'events.payload']));
  await world.erase(shop, ana);
  await world.expectGone(ana);
  expect(await world.privacy.maskReturned(never)).toBe(0);
});
