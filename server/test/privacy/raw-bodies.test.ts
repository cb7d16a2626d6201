/** Raw bodies that name an erased person, and that none of their events leads to. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listDeliveries } from '#inbox';
import { privacyLimits } from '#privacy';
import { body } from '../inbox/world.ts';
import { asSuperuser } from '../support/test-cluster.ts';
import {
  actor,
  bothWrite,
  never,
  openPrivacyWorld,
  type PrivacyWorld,
  reads,
  somebody,
  writes,
  writesUnreadably,
} from './world.ts';

let world: PrivacyWorld;
beforeAll(async () => {
  world = await openPrivacyWorld();
});
afterAll(() => world.close());

const hour = 3_600_000;

test('a duplicate by a shared route, from before an erasure that is not the first', async () => {
  const shop = await world.inbox.shop();
  const [ana, ben] = [somebody(), somebody()];
  await world.deliverShared(shop, writes(shop, ana, `in.${ana.phone}.1`));
  for (const _time of [1, 2]) await world.deliverShared(shop, writes(shop, ben, `in.${ben.phone}.1`));
  await world.erase(shop, ana);
  await world.privacy.maskReturned(never);
  await world.erase(shop, ben);
  await world.expectGone(ben);
});

test('a duplicate that was received before what the last look saw, and unpacked after it', async () => {
  const shop = await world.inbox.shop();
  const [ana, ben] = [somebody(), somebody()];
  await world.deliver(shop, writes(shop, ana, `in.${ana.phone}.1`));
  await world.erase(shop, ana);
  await world.deliver(shop, writes(shop, ben, `in.${ben.phone}.1`));
  await world.privacy.maskReturned(never);
  await world.deliverLate(shop, new Date(Date.now() - 2 * hour), writes(shop, ana, `in.${ana.phone}.1`));
  expect(await world.privacy.maskReturned(never)).toBe(1);
  await world.expectGone(ana);
});

test('a duplicate that nobody had read for days when the last look passed it', async () => {
  const shop = await world.inbox.shop();
  const ana = somebody();
  await world.deliver(shop, writes(shop, ana, `in.${ana.phone}.1`));
  await world.erase(shop, ana);
  const old = await world.deliverLate(shop, new Date(Date.now() - 72 * hour), writes(shop, ana, `in.${ana.phone}.1`));
  // Somebody else holds all shards, so that nobody reads it; whoever held them before cannot give them back any more.
  const hold = (state: string, holder: string | null) =>
    world.inbox.db.ownerQuery(
      `WITH held AS (
         UPDATE inbox_shards SET lease_epoch = lease_epoch + 1, leased_by = $3::text,
           leased_until = CASE WHEN $3::text IS NULL THEN '-infinity' ELSE 'infinity' END::timestamptz)
       UPDATE inbox SET state = $2 WHERE id = $1`,
      [old, state, holder],
    );
  await hold('stored', 'somebody else');
  await world.privacy.maskReturned(never);
  await hold('normalised', null);
  expect(await world.privacy.maskReturned(never)).toBe(1);
  await world.expectGone(ana);
});

test('what is left of a duplicate for the second of two who wrote in it', async () => {
  const shop = await world.inbox.shop();
  const [ana, ben] = [somebody(), somebody()];
  for (const _time of [1, 2])
    await world.deliver(shop, bothWrite(shop, [ana, ben], [`in.${ana.phone}.1`, `in.${ben.phone}.1`]));
  for (const one of [ana, ben]) {
    await world.erase(shop, one);
    await world.expectGone(one);
  }
});

test('a part that could not be read, whose delivery is withheld at once; what others wrote beside it stays', async () => {
  const shop = await world.inbox.shop();
  const [ana, ben] = [somebody(), somebody()];
  await world.deliver(shop, writes(shop, ana, `in.${ana.phone}.1`));
  const dead = await world.deliver(shop, writesUnreadably(shop, ana), writes(shop, ben, `in.${ben.phone}.1`));
  const alone = await world.deliver(shop, writesUnreadably(shop, ana));
  const list = async () => {
    const rows = await world.inbox.db.storage.inWorkspace(shop.workspaceId, (tx) => listDeliveries(tx, { limit: 50 }));
    return rows.map(({ id }): string => id);
  };
  expect(await list()).toEqual(expect.arrayContaining([dead, alone]));
  await world.privacy.eraseContact(shop.workspaceId, await world.contactOf(shop, `+${ana.phone}`), actor);
  expect(await list()).toEqual([]);
  await world.privacy.purge(never);
  await world.expectGone(ana);
  expect(await list()).toEqual(expect.arrayContaining([dead, alone]));
  expect(await world.whereIs(ben.secret)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^deliveries.*body$/)]),
  );
});

test('the same by a shared route, and not where it is another tenant’s', async () => {
  const [here, there] = [await world.inbox.shop(), await world.inbox.shop()];
  const ana = somebody();
  const elsewhere = { ...ana, secret: `${ana.secret}, told to another shop` };
  await world.deliver(here, writes(here, ana, `in.${ana.phone}.1`));
  await world.deliverShared(here, writesUnreadably(here, ana));
  const nobodys = { ...here, phoneNumberId: '299999999999', wabaId: '9299999999999' };
  await world.deliverShared(nobodys, writes(nobodys, ana, `in.${ana.phone}.2`));
  await world.deliverShared(there, writesUnreadably(there, elsewhere));
  await world.erase(here, ana);
  const left = await world.inbox.db.ownerQuery<{ body: Buffer }>(
    'SELECT body FROM deliveries WHERE position($1::text::bytea in body) > 0',
    [ana.phone],
  );
  expect(left.map(({ body }) => body.toString())).toEqual([expect.stringContaining(elsewhere.secret)]);
});

test('the part of another tenant stays, whatever ids this one has given itself', async () => {
  const there = await world.inbox.shop();
  const ana = somebody();
  // A digit, a word of every body, and the number of the customer: none of them is in a place that names an account.
  const ids = ['1', 'messages', ana.phone];
  for (const [index, id] of ids.entries()) {
    const here = await world.inbox.shop();
    const settings = { phoneNumberId: id, wabaId: `7${id}` };
    const accountId = await world.inbox.connect(here.workspaceId, {
      ...{ provider: 'meta', settings, secrets: { accessToken: 'a token' } },
    });
    await world.deliver(
      { ...here, accountId, ...settings },
      writes({ ...here, ...settings }, ana, `in.${ana.phone}.${index}`),
    );
    const theirs = { ...ana, secret: `${ana.secret}, told to another shop ${index}` };
    await world.deliverShared(there, writesUnreadably(there, theirs));
    await world.erase(here, ana);
    expect([id, await world.whereIs(theirs.secret)]).toEqual([id, [expect.stringMatching(/^deliveries.*body$/)]]);
  }
});

test('a body that is nested too deep to be walked, which was set aside: nothing of it stays', async () => {
  const shop = await world.inbox.shop();
  const ana = somebody();
  await world.deliver(shop, writes(shop, ana, `in.${ana.phone}.1`));
  const nested = `${'['.repeat(20_000)}"${ana.phone} ${ana.name} ${ana.secret}"${']'.repeat(20_000)}`;
  const [deep] = await world.deliverBodies(shop, [`{"object":"whatsapp_business_account","entry":${nested}}`]);
  await world.erase(shop, ana);
  await world.expectGone(ana);
  const [row] = await world.inbox.db.ownerQuery<{ body: Buffer }>('SELECT body FROM deliveries WHERE id = $1', [deep]);
  expect(row?.body).toHaveLength(0);
});

test('more than one look’s worth of parts that were set aside', async () => {
  const shop = await world.inbox.shop();
  const ana = somebody();
  await world.deliver(shop, writes(shop, ana, `in.${ana.phone}.1`));
  const one = body(shop, writesUnreadably(shop, ana));
  await world.deliverBodies(
    shop,
    Array.from({ length: privacyLimits.setAsidePerLook + 2 }, () => one),
  );
  await world.erase(shop, ana);
  await world.expectGone(ana);
});

test('a late receipt by a shared route', async () => {
  const shop = await world.inbox.shop();
  const ana = somebody();
  await world.deliver(shop, writes(shop, ana, `in.${ana.phone}.1`));
  const sent = `out.${ana.phone}`;
  await world.inbox.db.ownerQuery(
    `UPDATE messages SET provider_message_id = $2 WHERE id = (SELECT id FROM messages WHERE workspace_id = $1 AND direction = 'out' LIMIT 1)`,
    [shop.workspaceId, sent],
  );
  await world.erase(shop, ana);
  await world.deliverShared(shop, reads(shop, ana.phone, sent));
  expect(await world.whereIs(ana.phone)).not.toEqual([]);
  expect(await world.privacy.maskReturned(never)).toBe(1);
  await world.expectGone(ana);
});

test('a duplicate of one workspace, while the look over another’s fails', async () => {
  const [broken, whole] = [await world.inbox.shop(), await world.inbox.shop()];
  const [ana, ben] = [somebody(), somebody()];
  for (const [shop, one] of [
    [broken, ana],
    [whole, ben],
  ] as const) {
    await world.deliver(shop, writes(shop, one, `in.${one.phone}.1`));
    await world.erase(shop, one);
    await world.deliver(shop, writes(shop, one, `in.${one.phone}.1`));
  }
  const { storage } = world.inbox.db;
  const failing = world.privacyOver({
    ...storage,
    inWorkspace: async (id, work) => {
      if (id === broken.workspaceId) throw new Error('this one cannot be looked over');
      return storage.inWorkspace(id, work);
    },
  });
  await expect(failing.maskReturned(never)).rejects.toThrow('1 workspaces');
  await world.expectGone(ben);
  expect(await world.whereIs(ana.phone)).not.toEqual([]);
  await world.privacy.maskReturned(never);
  await world.expectGone(ana);
});

test('what two processes mask at the same time in one body: neither undoes the other', async () => {
  const shop = await world.inbox.shop();
  const { db } = world.inbox;
  const [ana, ben] = [somebody(), somebody()];
  const both = await world.deliver(shop, bothWrite(shop, [ana, ben], [`in.${ana.phone}.1`, `in.${ben.phone}.1`]));
  await world.privacy.eraseContact(shop.workspaceId, await world.contactOf(shop, `+${ana.phone}`), actor);
  const withoutBen = JSON.stringify({ messages: [{ from: ana.phone, text: ana.secret }] });
  let purging: Promise<unknown> = Promise.resolve();
  await asSuperuser(db.superuserUrl, async (other) => {
    await other.query('BEGIN');
    await other.query('UPDATE switchyard.deliveries SET body = $2 WHERE id = $1', [both, withoutBen]);
    purging = world.privacy.purge(never);
    purging.catch(() => {});
    await world.inbox.eventually(async () => {
      const waiting = await db.ownerQuery(
        `SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`,
      );
      return waiting.length > 0;
    });
    await other.query('COMMIT');
  });
  await purging;
  await world.expectGone(ana);
  expect(await world.whereIs(ben.phone)).not.toContainEqual(expect.stringMatching(/body$/));
});
