import type { ContactId, DeliveryId, WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createConversations } from '#conversations';
import { createLedger, listDeliveries, replayDelivery, traceDelivery } from '#inbox';
import { newId, systemClock } from '#kernel';
import type { Storage } from '#storage';
import type { Shop } from '../inbox/world.ts';
import { asSuperuser } from '../support/test-cluster.ts';
import {
  actor,
  bothWrite,
  never,
  openPrivacyWorld,
  type PrivacyWorld,
  reads,
  saysInGroup,
  somebody,
  type Talk,
  writes,
} from './world.ts';

let world: PrivacyWorld;

beforeAll(async () => {
  world = await openPrivacyWorld();
});
afterAll(() => world.close());

interface Scene {
  readonly shop: Shop;
  readonly ana: Talk;
  readonly ben: Talk;
  readonly anaId: ContactId;
  readonly deliveries: readonly string[];
}

/** Ana and Ben write in one batch, Ana once more alone; a message of ours to Ana is read; a receipt of hers waits. */
async function scene(): Promise<Scene> {
  const shop = await world.inbox.shop();
  const [ana, ben] = [somebody(), somebody()];
  const deliveries = [
    await world.deliver(shop, bothWrite(shop, [ana, ben], [`in.${ana.phone}.1`, `in.${ben.phone}.1`])),
    await world.deliver(shop, writes(shop, ana, `in.${ana.phone}.2`)),
  ];
  await world.inbox.db.ownerQuery(
    `UPDATE messages SET status = 'sent', provider_message_id = 'out.' || id WHERE workspace_id = $1 AND direction = 'out'`,
    [shop.workspaceId],
  );
  const [sent] = await world.inbox.db.ownerQuery<{ id: string }>(
    `SELECT m.provider_message_id AS id FROM messages m JOIN conversations v ON v.workspace_id = m.workspace_id AND v.id = m.conversation_id
     JOIN identities i ON i.workspace_id = v.workspace_id AND i.contact_id = v.contact_id
     WHERE m.workspace_id = $1 AND m.direction = 'out' AND i.value = $2 LIMIT 1`,
    [shop.workspaceId, `+${ana.phone}`],
  );
  deliveries.push(await world.deliver(shop, reads(shop, ana.phone, sent!.id)));
  deliveries.push(await world.deliver(shop, reads(shop, ana.phone, 'out.unknown')));
  return { shop, ana, ben, anaId: await world.contactOf(shop, `+${ana.phone}`), deliveries };
}

function inWorkspace<T>(shop: Shop, work: Parameters<Storage['inWorkspace']>[1]): Promise<T> {
  return world.inbox.db.storage.inWorkspace(shop.workspaceId, work) as Promise<T>;
}

/** What the books miss of the last hour. */
async function gapsOf(workspaceId: WorkspaceId) {
  const ledger = createLedger({ storage: world.inbox.db.storage, clock: systemClock });
  const span = { from: new Date(Date.now() - 3_600_000), to: new Date(Date.now() + 1) };
  return (await ledger.balance({ workspaceId, span })).gaps;
}

const loseOneEvent = (deliveryId: string) =>
  world.inbox.db.ownerQuery(
    'DELETE FROM events WHERE id = (SELECT id FROM events WHERE delivery_id = $1 ORDER BY id LIMIT 1)',
    [deliveryId],
  );

describe('an erasure', () => {
  test('hides at once: no list, thread, search or delivery tells of them any more, before anything is purged', async () => {
    const { shop, ana, ben, anaId, deliveries } = await scene();
    const conversations = createConversations();
    const look = async () => {
      const page = await inWorkspace<unknown>(shop, async (tx) => ({
        all: await conversations.listConversations(tx, { limit: 50 }),
        byName: await conversations.listConversations(tx, { limit: 50, search: ana.name }),
        deliveries: await listDeliveries(tx, { accountId: undefined, state: undefined, before: undefined, limit: 50 }),
        traces: await Promise.all(deliveries.map((id) => traceDelivery(tx, id as never))),
      }));
      return JSON.stringify(page, (_key, one) => (one?.type === 'Buffer' ? Buffer.from(one.data).toString() : one));
    };
    const [thread] = await world.inbox.db.ownerQuery<{ id: string; message: string }>(
      `SELECT v.id, m.id AS message FROM conversations v JOIN messages m ON m.workspace_id = v.workspace_id AND m.conversation_id = v.id
       WHERE v.workspace_id = $1 AND v.contact_id = $2 LIMIT 1`,
      [shop.workspaceId, anaId],
    );
    expect(await look()).toContain(ana.phone);
    expect(await world.privacy.eraseContact(shop.workspaceId, anaId, actor)).toMatchObject({ phase: 'messages' });
    const seen = await look();
    for (const trace of [ana.phone, ana.name, ana.secret]) expect(seen).not.toContain(trace);
    expect(seen).toContain(ben.phone);
    const gone = await inWorkspace<unknown[]>(shop, async (tx) => [
      await conversations.findSummary(tx, thread!.id as never),
      await conversations.findMessage(tx, thread!.message as never),
      (await conversations.listMessages(tx, thread!.id as never, { limit: 10 })).data.length,
    ]);
    expect(gone).toEqual([null, null, 0]);
    expect(await world.privacy.eraseContact(shop.workspaceId, anaId, actor)).toBeNull();
    expect(await world.privacy.exportContact(shop.workspaceId, anaId, actor)).toMatchObject({ refusal: 'not-found' });
  });

  test('is through when nothing of them is in any row or raw body, with a receipt that counts; others stay whole', async () => {
    const { shop, ana, ben, anaId, deliveries } = await scene();
    const asked = await world.privacy.eraseContact(shop.workspaceId, anaId, actor);
    await world.privacy.purge(never);
    for (const trace of [ana.phone, ana.name, ana.secret])
      expect([trace, await world.whereIs(trace)]).toEqual([trace, []]);
    const receipt = await world.privacy.findErasure(shop.workspaceId, asked!.id);
    expect(receipt).toMatchObject({ phase: 'done', contactId: anaId, requestedBy: actor });
    expect(receipt?.finishedAt).toBeInstanceOf(Date);
    expect(receipt?.counts).toMatchObject({ conversations: 1, events: 4, turns: 2, maskedDeliveries: 4 });
    expect(receipt?.counts.messages).toBeGreaterThanOrEqual(4);
    expect(receipt?.counts.receipts).toBe(1);
    expect((await world.whereIs(ben.secret)).toSorted()).toEqual(
      expect.arrayContaining(['messages.text', 'events.payload']),
    );
    const [batch] = await world.inbox.db.ownerQuery<{ body: Buffer; masked: boolean }>(
      'SELECT body, masked_at IS NOT NULL AS masked FROM deliveries WHERE id = $1',
      [deliveries[0]],
    );
    expect(batch).toMatchObject({ masked: true });
    expect(batch!.body.toString()).toContain(ben.secret);
    const entries = await world.inbox.db.ownerQuery<{ entry: string }>(
      `SELECT action || ' ' || resource || ' ' || fields AS entry FROM audit_log WHERE workspace_id = $1 AND resource LIKE 'contact %'`,
      [shop.workspaceId],
    );
    expect(entries.map(({ entry }) => entry)).toEqual([
      expect.stringMatching(/^erase contact con_[0-9a-f]{32} \{"receipt": "era_/),
    ]);
  });

  test('holds against redelivery; what the same person writes anew is a new contact', async () => {
    const { shop, ana, anaId } = await scene();
    await world.privacy.eraseContact(shop.workspaceId, anaId, actor);
    await world.privacy.purge(never);
    await world.deliver(shop, writes(shop, ana, `in.${ana.phone}.2`));
    await world.deliver(shop, bothWrite(shop, [ana], [`in.${ana.phone}.1`]));
    const people = () =>
      world.inbox.db.ownerQuery(`SELECT FROM identities WHERE workspace_id = $1 AND value = $2`, [
        shop.workspaceId,
        `+${ana.phone}`,
      ]);
    expect(await people()).toHaveLength(0);
    expect(await world.privacy.maskReturned(never)).toBeGreaterThanOrEqual(2);
    expect(await world.whereIs(ana.secret)).toEqual([]);
    expect(await world.privacy.maskReturned(never)).toBe(0);

    const again = { ...ana, secret: 'a new beginning' };
    await world.deliver(shop, writes(shop, again, `in.${ana.phone}.3`));
    expect(await people()).toHaveLength(1);
    expect(await world.contactOf(shop, `+${ana.phone}`)).not.toBe(anaId);
    await world.privacy.maskReturned(never);
    await world.privacy.purge(never);
    expect(await world.whereIs('a new beginning')).toEqual(expect.arrayContaining(['messages.text']));
  });

  test('a late receipt of an erased message is not kept waiting for it', async () => {
    const { shop, ana, anaId } = await scene();
    const [sent] = await world.inbox.db.ownerQuery<{ id: string }>(
      `SELECT provider_message_id AS id FROM messages m JOIN conversations v ON v.workspace_id = m.workspace_id AND v.id = m.conversation_id
       WHERE m.workspace_id = $1 AND v.contact_id = $2 AND direction = 'out' LIMIT 1`,
      [shop.workspaceId, anaId],
    );
    await world.privacy.eraseContact(shop.workspaceId, anaId, actor);
    await world.privacy.purge(never);
    await world.deliver(shop, {
      ...reads(shop, ana.phone, sent!.id),
      statuses: [{ id: sent!.id, status: 'delivered', timestamp: '1790000000', recipient_id: ana.phone }],
    });
    expect(await world.whereIs(ana.phone)).not.toEqual([]);
    await world.privacy.maskReturned(never);
    expect(await world.whereIs(ana.phone)).toEqual([]);
  });

  test('struck before and after every commit, it ends the same', async () => {
    const calm = await scene();
    await world.privacy.eraseContact(calm.shop.workspaceId, calm.anaId, actor);
    await world.privacy.purge(never);
    const [expected] = (await world.privacy.listErasures(calm.shop.workspaceId, { limit: 1 })).data;

    const struck = await scene();
    await world.privacy.eraseContact(struck.shop.workspaceId, struck.anaId, actor);
    let strikes = 0;
    for (let nth = 1; nth < 60; nth += 1) {
      const storage = strikingAt(world.inbox.db.storage, nth);
      const asked = (await world.privacy.listErasures(struck.shop.workspaceId, { limit: 1 })).data[0]!;
      if (asked.phase === 'done') continue;
      const end = await world.privacyOver(storage).purgeOne(struck.shop.workspaceId, asked.id, never);
      if (end === 'failed') strikes += 1;
    }
    await world.privacy.purge(never);
    expect(strikes).toBeGreaterThan(5);
    const [receipt] = (await world.privacy.listErasures(struck.shop.workspaceId, { limit: 1 })).data;
    expect({ ...receipt, counts: { ...receipt?.counts } }).toMatchObject({ phase: 'done', counts: expected!.counts });
    for (const trace of [struck.ana.phone, struck.ana.secret]) expect(await world.whereIs(trace)).toEqual([]);
  });

  test('masks what came by a shared route too, which lies in the operator’s workspace', async () => {
    const [here, there] = [await world.inbox.shop(), await world.inbox.shop()];
    const [ana, ben] = [somebody(), somebody()];
    await world.deliverShared(here, writes(here, ana, `in.${ana.phone}.1`));
    await world.deliverShared(there, writes(there, ben, `in.${ben.phone}.1`));
    await world.privacy.eraseContact(here.workspaceId, await world.contactOf(here, `+${ana.phone}`), actor);
    await world.privacy.purge(never);
    expect(await world.whereIs(ana.secret)).toEqual([]);
    expect(await world.whereIs(ben.secret)).not.toEqual([]);
    await world.deliverShared(here, writes(here, ana, `in.${ana.phone}.1`));
    expect(await world.privacy.maskReturned(never)).toBe(1);
    expect(await world.whereIs(ana.secret)).toEqual([]);
  });

  test('waits for a message that is on its way out, and nothing else that waits leaves', async () => {
    const { shop, ana, anaId } = await scene();
    const ofAna = `conversation_id IN (SELECT id FROM conversations WHERE workspace_id = $1 AND contact_id = $2)`;
    const states = async () =>
      (
        await world.inbox.db.ownerQuery<{ state: string }>(
          `SELECT state FROM outbox WHERE workspace_id = $1 AND ${ofAna} ORDER BY ordinal`,
          [...[shop.workspaceId, anaId]],
        )
      ).map(({ state }) => state);
    expect(await states()).toEqual(['sent', 'queued']);
    await world.inbox.db.ownerQuery(
      `UPDATE outbox SET state = 'sending' WHERE workspace_id = $1 AND ${ofAna} AND ordinal = 1`,
      [shop.workspaceId, anaId],
    );
    const asked = await world.privacy.eraseContact(shop.workspaceId, anaId, actor);
    expect(await states()).toEqual(['sending', 'cancelled']);
    expect(await world.privacy.purgeOne(shop.workspaceId, asked!.id, never)).toBe('sending');
    expect(await states()).toEqual(['sending']);
    expect(await world.privacy.findErasure(shop.workspaceId, asked!.id)).toMatchObject({ phase: 'messages' });
    await world.inbox.db.ownerQuery(`UPDATE outbox SET state = 'sent' WHERE workspace_id = $1 AND state = 'sending'`, [
      shop.workspaceId,
    ]);
    await world.privacy.purge(never);
    expect(await world.privacy.findErasure(shop.workspaceId, asked!.id)).toMatchObject({ phase: 'done' });
    expect(await world.whereIs(ana.secret)).toEqual([]);
  });

  test('tells apart that another process is at it, that it was told to stop, and that it is through', async () => {
    const { shop, anaId } = await scene();
    const asked = await world.privacy.eraseContact(shop.workspaceId, anaId, actor);
    const purge = (signal: AbortSignal) => world.privacy.purgeOne(shop.workspaceId, asked!.id, signal);
    await asSuperuser(world.inbox.db.superuserUrl, async (other) => {
      await other.query('BEGIN');
      await other.query('SELECT FROM switchyard.erasures WHERE id = $1 FOR UPDATE', [asked!.id]);
      expect(await purge(never)).toBe('held');
      await other.query('ROLLBACK');
    });
    expect(await purge(AbortSignal.abort())).toBe('stopped');
    expect(await purge(never)).toBe('done');
  });

  test('that fails says so in its receipt, and keeps no other waiting, however many fail', async () => {
    const [broken, whole] = [await scene(), await scene()];
    const { storage } = world.inbox.db;
    const failing: Storage = {
      ...storage,
      inWorkspace: async (id, work) => {
        if (id === broken.shop.workspaceId) throw new RangeError(`no walk over ${broken.ana.phone}`);
        return storage.inWorkspace(id, work);
      },
    };
    const privacy = world.privacyOver(failing);
    const stuck = await world.privacy.eraseContact(broken.shop.workspaceId, broken.anaId, actor);
    await world.inbox.db.ownerQuery(
      `INSERT INTO erasures (workspace_id, id, contact_id, contact_ids, conversation_ids, identity_values, requested_by)
       SELECT $1, overlay($2::text placing lpad(n::text, 4, '0') from 33)::uuid, $3, '{}', '{}', '{}', 'somebody'
       FROM generate_series(1, 100) AS n`,
      [broken.shop.workspaceId, stuck!.id, broken.anaId],
    );
    const asked = await world.privacy.eraseContact(whole.shop.workspaceId, whole.anaId, actor);
    for (let run = 0; run < 2; run += 1) await privacy.purge(never);
    expect(await privacy.findErasure(whole.shop.workspaceId, asked!.id)).toMatchObject({
      phase: 'done',
      failure: null,
    });
    expect(await world.privacy.findErasure(broken.shop.workspaceId, stuck!.id)).toMatchObject({
      ...{ phase: 'messages', failure: 'RangeError', failedAt: expect.any(Date) },
    });
    expect(await privacy.purgeOne(broken.shop.workspaceId, stuck!.id, never)).toBe('failed');
    await world.inbox.db.ownerQuery(`DELETE FROM erasures WHERE workspace_id = $1 AND requested_by = 'somebody'`, [
      broken.shop.workspaceId,
    ]);
    expect(await world.privacy.purge(never)).toBe(1);
    expect(await world.privacy.findErasure(broken.shop.workspaceId, stuck!.id)).toMatchObject({
      ...{ phase: 'done', failure: null, failedAt: null },
    });
  });

  test('leaves deliveries of which a replay brings nothing back', async () => {
    const { shop, ana, anaId, deliveries } = await scene();
    await world.privacy.eraseContact(shop.workspaceId, anaId, actor);
    await world.privacy.purge(never);
    for (const id of deliveries) await replayDelivery(world.inbox.db.storage, shop.workspaceId, id as DeliveryId);
    await world.inbox.settled();
    for (const trace of [ana.phone, ana.secret]) expect([trace, await world.whereIs(trace)]).toEqual([trace, []]);
  });

  test('is no loss in the books, before, in the middle of or after the purge; a real one beside it is still named', async () => {
    const { shop, anaId, deliveries } = await scene();
    expect(await gapsOf(shop.workspaceId)).toEqual([]);
    await world.privacy.eraseContact(shop.workspaceId, anaId, actor);
    expect(await gapsOf(shop.workspaceId)).toEqual([]);
    for (let nth = 2; nth < 12; nth += 1) {
      await world.privacyOver(strikingAt(world.inbox.db.storage, nth)).purge(never);
      expect(await gapsOf(shop.workspaceId)).toEqual([]);
    }
    await world.privacy.purge(never);
    expect(await gapsOf(shop.workspaceId)).toEqual([]);
    await loseOneEvent(deliveries[0]!);
    expect(await gapsOf(shop.workspaceId)).toMatchObject([
      { stage: 'events', deliveryId: deliveries[0], detail: '2 events were read, 0 are there, 1 were erased' },
    ]);
  });

  test('of two who wrote in one delivery leaves the books even after each, and so does a late receipt that is dropped', async () => {
    const { shop, ana, ben, anaId } = await scene();
    const [sent] = await world.inbox.db.ownerQuery<{ id: string }>(
      `SELECT provider_message_id AS id FROM messages m JOIN conversations v ON v.workspace_id = m.workspace_id AND v.id = m.conversation_id
       WHERE m.workspace_id = $1 AND v.contact_id = $2 AND direction = 'out' LIMIT 1`,
      [shop.workspaceId, anaId],
    );
    for (const one of [anaId, await world.contactOf(shop, `+${ben.phone}`)]) {
      await world.privacy.eraseContact(shop.workspaceId, one, actor);
      await world.privacy.purge(never);
      expect(await gapsOf(shop.workspaceId)).toEqual([]);
    }
    const late = await world.deliver(shop, {
      ...reads(shop, ana.phone, sent!.id),
      statuses: [{ id: sent!.id, status: 'delivered', timestamp: '1790000000', recipient_id: ana.phone }],
    });
    await world.privacy.maskReturned(never);
    expect(await world.inbox.db.ownerQuery('SELECT FROM events WHERE delivery_id = $1', [late])).toEqual([]);
    expect(await gapsOf(shop.workspaceId)).toEqual([]);
  });

  test('is no loss in the operator’s books either, where a shared route’s delivery held somebody else too', async () => {
    const [here, there] = [await world.inbox.shop(), await world.inbox.shop()];
    const [ana, ben] = [somebody(), somebody()];
    const shared = await world.deliverShared(
      here,
      writes(here, ana, `in.${ana.phone}.1`),
      writes(there, ben, `in.${ben.phone}.1`),
    );
    await world.privacy.eraseContact(here.workspaceId, await world.contactOf(here, `+${ana.phone}`), actor);
    await world.privacy.purge(never);
    expect(await gapsOf(world.inbox.operatorId)).toEqual([]);
    await loseOneEvent(shared);
    expect(await gapsOf(world.inbox.operatorId)).toMatchObject([{ stage: 'events', deliveryId: shared }]);
  });

  test('takes what they said in a group, and leaves the group with what the others said', async () => {
    const shop = await world.inbox.shop();
    const [ana, ben] = [somebody(), somebody()];
    await world.deliver(shop, saysInGroup(shop, ben, `in.${ben.phone}.1`));
    await world.deliver(shop, saysInGroup(shop, ana, `in.${ana.phone}.1`));
    await world.erase(shop, ana);
    await world.expectGone(ana);
    expect(await world.whereIs(ben.secret)).toEqual(expect.arrayContaining(['messages.text']));
  });

  test('of a contact of another workspace is refused like a missing one', async () => {
    const { anaId } = await scene();
    const other = await world.inbox.shop();
    expect(await world.privacy.eraseContact(other.workspaceId, anaId, actor)).toBeNull();
    expect(await world.privacy.eraseContact(other.workspaceId, newId('contact'), actor)).toBeNull();
  });
});

/** Its second transaction is undone or, by turns, committed and its answer lost; so each run comes one save further. */
function strikingAt(storage: Storage, nth: number): Storage {
  let count = 0;
  const isUndone = () => count > 1 && nth % 2 === 0;
  const strikeAfter = async <T>(result: Promise<T>): Promise<T> => {
    const value = await result;
    if (count > 1) throw new Error('struck after the commit');
    return value;
  };
  const strikingIn = <Of, T>(work: (tx: Of) => Promise<T>) => {
    count += 1;
    return async (tx: Of) => {
      const value = await work(tx);
      if (isUndone()) throw new Error('struck before the commit');
      return value;
    };
  };
  return {
    ...storage,
    inWorkspace: (id, work) => strikeAfter(storage.inWorkspace(id, strikingIn(work))),
    asWorker: (work) => strikeAfter(storage.asWorker(strikingIn(work))),
  };
}
