/** The search for a message that failed or still waits: it has no row of its own, and is the one that somebody misses. */
import { type ContactId, type ConversationId, toPublicId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unpackForSearch } from '#inbox';
import { newId, silentLog, systemClock } from '#kernel';
import type { Middleware } from '#pipeline';
import { createPrivacy } from '#privacy';
import type { WorkspaceTx } from '#storage';
import { channels, delivery, type Shop, type TextFacts, textBody, type WorkerFacts } from '../inbox/world.ts';
import { type MonitoringWorld, openMonitoringWorld } from './world.ts';

let world: MonitoringWorld;
beforeAll(async () => {
  world = await openMonitoringWorld();
});
afterAll(() => world.close());

const search = async (shop: Pick<Shop, 'workspaceId'>, text: string) => {
  await unpackForSearch({ storage: world.db.storage, log: silentLog });
  return world.db.storage.inWorkspace(shop.workspaceId, (tx) => world.monitoring().search(tx, text));
};

const poison: Middleware = {
  name: 'poison',
  async handle(ctx, next) {
    const { content } = ctx.input.stored.event;
    if (content.type === 'text' && content.text === 'poison') throw new Error('a middleware of theirs failed');
    return next(ctx);
  },
};
const failing = (retryDelayMs: number): WorkerFacts => ({
  parts: { middleware: [poison] },
  turnLimits: { retryDelayMs, idleMs: 20 },
});

async function write(shop: Shop, facts: TextFacts) {
  const sent = delivery(shop, textBody(shop, facts));
  await world.receiver().receive(sent);
  return { ...sent, publicId: toPublicId('delivery', sent.id) };
}

async function settledBy(facts: WorkerFacts): Promise<void> {
  const worker = world.worker(facts);
  await world.settled();
  await worker.stop(5_000);
}

describe('a message whose turn failed for good', () => {
  it('is found by its customer’s number in any writing and by its id, here only, and its hops tell what went wrong', async () => {
    const shop = await world.shop();
    const sent = await write(shop, { from: '34655000001', id: 'wamid.POISON/1==', text: 'poison' });
    await settledBy(failing(1));
    const queries = ['+34655000001', '34655000001', '0034 655 00 00 01', '+34 (655) 000-001', 'wamid.POISON/1=='];
    for (const query of queries) {
      const found = await search(shop, query);
      expect([query, found.map(({ id }) => id)]).toEqual([query, [sent.publicId]]);
      expect(found[0]).toMatchObject({ isProblem: true, customer: '+34655000001' });
      expect(found[0]?.hops.filter(({ isProblem }) => isProblem).map(({ kind, facts }) => [kind, facts])).toEqual([
        ['event', expect.objectContaining({ state: 'dead', reason: 'Error: a middleware of theirs failed' })],
        ['dead-letter', { reason: 'failed' }],
      ]);
    }
    const stranger = await world.shop();
    for (const query of queries) expect(await search(stranger, query)).toEqual([]);
  });

  it('is found by a number that two forms are in use of', async () => {
    const shop = await world.shop();
    const sent = await write(shop, { from: '5215512345678', text: 'poison' });
    await settledBy(failing(1));
    for (const query of ['+52 55 1234 5678', '+52 1 55 1234 5678'])
      expect((await search(shop, query)).map(({ id }) => id)).toEqual([sent.publicId]);
  });

  it('is not crowded out by what the same customer wrote since', async () => {
    const shop = await world.shop();
    const from = '34655000002';
    const lost = await write(shop, { from, text: 'poison' });
    for (let nth = 0; nth < 22; nth += 1) await write(shop, { from });
    await settledBy(failing(1));
    const found = await search(shop, `+${from}`);
    expect(found).toHaveLength(20);
    expect(found.filter(({ isProblem }) => isProblem).map(({ id }) => id)).toEqual([lost.publicId]);
  });
});

describe('a message that waits for its turn', () => {
  it('is found, told as waiting, and once only when it was handled', async () => {
    const shop = await world.shop();
    const sent = await write(shop, { from: '34655000003', id: 'wamid.waits', text: 'poison' });
    const worker = world.worker(failing(3_600_000));
    await world.eventually(async () => {
      const rows = await world.db.ownerQuery('SELECT FROM events WHERE workspace_id = $1 AND attempts = 1', [
        shop.workspaceId,
      ]);
      return rows.length === 1;
    });
    await worker.stop(5_000);
    for (const query of ['+34655000003', 'wamid.waits']) {
      const found = await search(shop, query);
      expect(found.map(({ id }) => id)).toEqual([sent.publicId]);
      expect(found[0]?.hops.map(({ kind }) => kind).sort()).toEqual(['event', 'normalised', 'received']);
      expect(found[0]?.hops.find(({ kind }) => kind === 'event')?.detail).toBe('pending');
    }
    await world.db.ownerQuery('UPDATE conversations SET next_due_at = now() WHERE workspace_id = $1', [
      shop.workspaceId,
    ]);
    await settledBy({});
    for (const query of ['+34655000003', 'wamid.waits'])
      expect((await search(shop, query)).map(({ id }) => id)).toEqual([sent.publicId]);
  });
});

describe('while no worker runs a message', () => {
  it('is found by number and id, for its own workspace, as not read yet; not by what it only mentions', async () => {
    const shop = await world.shop();
    const sent = await write(shop, { from: '5491155550001', id: 'wamid.NOBODY', text: 'call +34 655 00 00 09' });
    for (const query of ['+54 9 11 5555-0001', '541155550001', 'wamid.NOBODY']) {
      const found = await search(shop, query);
      expect([query, found.map(({ id }) => id)]).toEqual([query, [sent.publicId]]);
      expect(found[0]).toMatchObject({ customer: '+5491155550001', summary: 'message:text', isProblem: false });
      expect(found[0]?.hops).toMatchObject([
        { kind: 'received', detail: expect.stringMatching(/, not read yet$/), facts: { isRead: false } },
      ]);
    }
    for (const query of ['+34655000009', '+5491155550002', 'NOBODY']) expect(await search(shop, query)).toEqual([]);
    expect(await search(await world.shop(), 'wamid.NOBODY')).toEqual([]);
    await settledBy({});
    const [handled] = await search(shop, 'wamid.NOBODY');
    expect(handled?.hops.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['received', 'normalised', 'turn']));
    expect(handled?.hops[0]?.facts.isRead).toBe(true);
  });

  it('of another provider is found too, whose ids and numbers are written otherwise', async () => {
    const shop = await world.shop();
    const key = { remoteJid: '34655000010@s.whatsapp.net', fromMe: false, id: '3EB0AAAA' };
    const data = { key, message: { conversation: 'hola' }, messageTimestamp: 1_767_225_600 };
    const form = 'SmsMessageSid=SMaa&MessageSid=SMaa&From=whatsapp%3A%2B34655000011&To=whatsapp%3A%2B34900&Body=hola';
    const sent = [
      delivery(shop, { event: 'messages.upsert', instance: 'x', data }, { provider: 'evolution' }),
      delivery(shop, form, { provider: 'twilio', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ].map((one) => ({ ...one, publicId: toPublicId('delivery', one.id) }));
    for (const one of sent) await world.receiver().receive(one);
    const queries = [
      ['+34655000010', '3EB0AAAA'],
      ['+34655000011', 'SMaa'],
    ];
    for (const [index, texts] of queries.entries())
      for (const query of texts)
        expect([query, (await search(shop, query)).map(({ id }) => id)]).toEqual([query, [sent[index]?.publicId]]);
    await settledBy({});
  });
});

describe('a message of somebody who is erased', () => {
  it('comes back by no number, provider’s id or id of ours: before the purge, after it, or redelivered', async () => {
    const shop = await world.shop();
    const facts = { from: '34655000020', id: 'wamid.erased', text: 'poison' };
    const dead = await write(shop, facts);
    const answered = await write(shop, { ...facts, id: 'wamid.erased.2', text: 'hola' });
    await settledBy(failing(1));
    const [thread] = await world.db.ownerQuery<{ id: ConversationId; contactId: ContactId }>(
      'SELECT id, contact_id AS "contactId" FROM conversations WHERE workspace_id = $1',
      [shop.workspaceId],
    );
    if (!thread) throw new Error('nobody wrote');
    const written = await world.db.storage.inWorkspace(shop.workspaceId, (tx) =>
      world.outbox.queueMessage(tx, {
        ...{ conversationId: thread.id, accountId: shop.accountId, author: 'person' },
        content: { type: 'text', text: 'a person writes' },
      }),
    );
    const ours = toPublicId('message', written.messageId);
    const queries = ['+34655000020', 'wamid.erased', 'wamid.erased.2', dead.publicId, answered.publicId, ours];
    for (const query of queries) expect((await search(shop, query)).length).toBeGreaterThan(0);
    const waiting = await write(shop, { ...facts, id: 'wamid.erased.3' });
    expect((await search(shop, 'wamid.erased.3')).map(({ id }) => id)).toEqual([waiting.publicId]);

    const privacy = createPrivacy({
      ...{ storage: world.db.storage, channels, workspaces: world.workspaces, companions: world.companions },
      ...{ noteChange: () => {}, clock: systemClock, log: silentLog },
    });
    await privacy.eraseContact(shop.workspaceId, thread.contactId, 'person per_1');
    const hidden = [...queries, 'wamid.erased.3'];
    for (const query of hidden) expect([query, await search(shop, query)]).toEqual([query, []]);
    await settledBy({});
    await privacy.purge(new AbortController().signal);
    await write(shop, facts);
    expect(await search(shop, 'wamid.erased')).toEqual([]);
    await settledBy({});
  });
});

describe('among 20,000 events', () => {
  it('it reads none but those that it finds', async () => {
    const shop = await world.shop();
    await write(shop, { from: '34655000030', id: 'wamid.needle', text: 'poison' });
    await settledBy(failing(1));
    const ids = Array.from({ length: 20_000 }, () => newId('delivery'));
    await world.db.ownerQuery(
      `WITH made AS (SELECT id, ordinality AS n FROM unnest($1::uuid[]) WITH ORDINALITY AS t (id, ordinality)),
       kept AS (
         INSERT INTO deliveries (workspace_id, id, account_id, provider, route_kind, method, target, headers, body, received_at)
         SELECT $2, id, $3, 'meta', 'token', 'POST', '/x', '{}', '', now() FROM made),
       queued AS (
         INSERT INTO inbox (workspace_id, id, account_id, shard, position, after_position, state)
         SELECT $2, id, $3, n % 16, n, 0, 'normalised' FROM made)
       INSERT INTO events (workspace_id, id, delivery_id, account_id, conversation_id, ordinal, kind, type, key, payload,
         received_at, position, after_position, state)
       SELECT $2, gen_random_uuid(), m.id, $3, v.id, 0, 'message', 'text', n::text, '{}', now(), n, 0, 'handled'
       FROM made m, conversations v WHERE v.workspace_id = $2`,
      [ids, shop.workspaceId, shop.accountId],
    );
    await world.db.ownerQuery('ANALYZE');
    for (const query of ['+34655000030', 'wamid.needle', '+34655999999', 'wamid.nobody'])
      expect([query, await rowsReadBy(shop, query)]).toEqual([query, expect.toSatisfy((rows: number) => rows < 500)]);
  });
});

interface PlanNode {
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Of events, deliveries, inbox rows and messages, by every statement of the search as Postgres tells it. */
async function rowsReadBy(shop: Shop, text: string): Promise<number> {
  const wide = /^(events|deliveries|inbox|messages|dead_letters)/;
  const rowsOf = (node: PlanNode): number =>
    (wide.test(node['Relation Name'] ?? '')
      ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
      : 0) + (node.Plans ?? []).reduce((sum, child) => sum + rowsOf(child), 0);
  let rows = 0;
  await world.db.storage.inWorkspace(shop.workspaceId, (tx) => {
    const counting: WorkspaceTx = {
      ...tx,
      query: async (statement, values) => {
        const [told] = await tx.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
          `EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`,
          values,
        );
        if (!told) throw new Error('no plan');
        rows += rowsOf(told['QUERY PLAN'][0].Plan);
        return tx.query(statement, values);
      },
    };
    return world.monitoring().search(counting, text);
  });
  return rows;
}
