/** Turns of several conversations share a transaction: a few statements for all, and nobody pays for another's failure. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NudgeableDrain } from '#inbox';
import { answer, type Middleware } from '#pipeline';
import type { Storage } from '#storage';
import { querying } from './querying.ts';
import { body, delivery, type InboxWorld, openInboxWorld, type Shop, text, textBody, value } from './world.ts';

let world: InboxWorld;
let workers: NudgeableDrain[] = [];

beforeAll(async () => {
  world = await openInboxWorld();
});
beforeEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop(5_000)));
  workers = [];
});
afterAll(() => world.close());

function work(facts: Parameters<InboxWorld['worker']>[0] = {}): void {
  workers.push(world.worker({ turnLimits: { retryDelayMs: 10, idleMs: 20 }, ...facts }));
}

const customers = (count: number) => Array.from({ length: count }, (_, i) => `34660000${String(100 + i)}`);

/** Repeats what it heard; throws at `bad`. */
const repeats: Middleware = {
  name: 'repeats',
  async handle(ctx) {
    const { content } = ctx.input.stored.event;
    const said = content.type === 'text' ? content.text : '';
    if (said === 'bad') throw new Error('a bad turn');
    return answer(ctx, 'repeated', [{ type: 'text', text: said }]);
  },
};

async function send(shop: Shop, texts: readonly { readonly from: string; readonly text: string }[]): Promise<void> {
  const receiver = world.receiver();
  for (const facts of texts) await receiver.receive(delivery(shop, textBody(shop, facts)));
}

/** What was answered to whom, and in how many transactions turns were written. */
async function answered(shop: Shop) {
  const replies = await world.db.ownerQuery<{ text: string }>(
    `SELECT text FROM messages WHERE workspace_id = $1 AND direction = 'out' ORDER BY text`,
    [shop.workspaceId],
  );
  const [turns] = await world.db.ownerQuery<{ count: number; transactions: number }>(
    `SELECT count(*)::int AS count, count(DISTINCT xmin::text)::int AS transactions FROM turns WHERE workspace_id = $1`,
    [shop.workspaceId],
  );
  return { replies: replies.map((reply) => reply.text), ...turns };
}

describe('turns of several conversations', () => {
  it('are written by one transaction, each answered once', async () => {
    const shop = await world.shop();
    const texts = customers(30).map((from) => ({ from, text: `from ${from}` }));
    await send(shop, texts);
    const before = world.db.storage.statements.app;
    work({ parts: { middleware: [repeats] } });
    await world.settled();
    const { replies, count, transactions } = await answered(shop);
    expect({ replies, count }).toEqual({ replies: texts.map((one) => one.text), count: 30 });
    expect(transactions).toBeLessThanOrEqual(2);
    expect(world.db.storage.statements.app - before).toBeLessThan(60);
  });

  it('happen where their events are written when each stands alone, and by a lease where two wait for one', async () => {
    const shop = await world.shop();
    const [twice = '', ...others] = customers(5);
    await send(
      shop,
      [twice, twice, ...others].map((from, index) => ({ from, text: `${index} from ${from}` })),
    );
    const before = world.db.storage.statements.worker;
    work({ parts: { middleware: [repeats] } });
    await world.settled();
    expect(world.db.storage.statements.worker).toBeGreaterThan(before);
    const rows = await world.db.ownerQuery<{ from: string; isAtOnce: boolean }>(
      `SELECT e.payload->'customer'->0->>'value' AS "from", e.xmin = t.xmin AND e.state = 'handled' AS "isAtOnce"
       FROM events e JOIN turns t ON t.workspace_id = e.workspace_id AND t.id = e.turn_id
       WHERE e.workspace_id = $1 AND e.created_at = t.created_at ORDER BY e.id`,
      [shop.workspaceId],
    );
    expect(rows.map(({ from }) => from.replace('+', '')).sort()).toEqual(others);
    expect(rows.every(({ isAtOnce }) => isAtOnce)).toBe(true);
    expect((await answered(shop)).count).toBe(6);
  });

  it('go on without the one that fails: it is tried alone, and ends as a dead letter', async () => {
    const shop = await world.shop();
    const [bad = '', ...good] = customers(12);
    await send(shop, [{ from: bad, text: 'bad' }, ...good.map((from) => ({ from, text: `good ${from}` }))]);
    await send(shop, [{ from: bad, text: 'better' }]);
    work({ parts: { middleware: [repeats] } });
    await world.settled();
    expect((await answered(shop)).replies).toEqual(['better', ...good.map((from) => `good ${from}`)]);
    const letters = await world.db.ownerQuery('SELECT reason, detail FROM dead_letters WHERE workspace_id = $1', [
      shop.workspaceId,
    ]);
    expect(letters).toEqual([{ reason: 'failed', detail: 'Error: a bad turn' }]);
    const tries = await world.db.ownerQuery<{ attempts: number; count: number }>(
      `SELECT attempts, count(*)::int FROM events WHERE workspace_id = $1 GROUP BY attempts ORDER BY attempts`,
      [shop.workspaceId],
    );
    expect(tries).toEqual([
      { attempts: 0, count: 12 },
      { attempts: 3, count: 1 },
    ]);
  });

  it('of which one throws cost a second write of the batch, not one of each delivery', async () => {
    const shops = [await world.shop(), await world.shop(), await world.shop(), await world.shop()];
    const [bad] = shops;
    const from = '34660000001';
    const said = (shop: Shop) => (shop === bad ? 'bad' : 'good');
    for (const shop of shops) {
      await send(
        shop,
        customers(9).map((customer) => ({ from: customer, text: 'good' })),
      );
      await send(shop, [{ from, text: said(shop) }]);
    }
    const { storage } = world.db;
    let writes = 0;
    const counting = querying(storage, (tx) => (statement, values, name) => {
      if (name === 'inbox-write-outcome') writes += 1;
      return tx.query(statement, values, name);
    });
    work({ storage: counting, parts: { middleware: [repeats] } });
    await world.settled();
    for (const shop of shops) expect((await answered(shop)).replies).toHaveLength(shop === bad ? 9 : 10);
    // Forty deliveries of four shops; a crowded machine may divide them among more batches.
    expect(writes).toBeLessThan(20);
  });

  it('do not wait for the one that somebody else has locked', async () => {
    const shop = await world.shop();
    const [held = '', ...others] = customers(4);
    await send(
      shop,
      [held, ...others].map((from) => ({ from, text: `to ${from}` })),
    );
    const leased = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const { storage } = world.db;
    const pausing: Storage = {
      ...storage,
      async workerStatement(statement, values, name) {
        const rows = await storage.workerStatement(statement, values, name);
        if (name !== 'inbox-lease-conversations' || rows.length === 0) return rows as never;
        leased.resolve();
        await locked.promise;
        return rows as never;
      },
    };
    work({ storage: pausing, parts: { middleware: [repeats] }, turnLimits: { turnsAtOnce: 0, idleMs: 20 } });
    await leased.promise;
    await storage.inWorkspace(shop.workspaceId, async (tx) => {
      await tx.query(
        `SELECT v.id FROM conversations v JOIN identities i ON i.workspace_id = v.workspace_id AND i.contact_id = v.contact_id
          WHERE i.kind = 'wa_id' AND i.value = $1 FOR UPDATE OF v`,
        [held],
      );
      locked.resolve();
      await world.eventually(async () => (await answered(shop)).replies.length === others.length);
    });
    await world.settled();
    expect((await answered(shop)).replies).toEqual([held, ...others].map((from) => `to ${from}`));
  });

  it('that take long are not waited for by what becomes due after them', async () => {
    const shop = await world.shop();
    const [slow = '', ...others] = customers(4);
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const waits: Middleware = {
      name: 'waits',
      async handle(ctx, next) {
        const { content } = ctx.input.stored.event;
        if (content.type !== 'text' || content.text !== 'slow') return next(ctx);
        begun.resolve();
        await goOn.promise;
        return next(ctx);
      },
    };
    await send(shop, [{ from: slow, text: 'slow' }]);
    work({ parts: { middleware: [waits, repeats] } });
    await begun.promise;
    await send(
      shop,
      others.map((from) => ({ from, text: `quick ${from}` })),
    );
    await world.eventually(async () => (await answered(shop)).replies.length === others.length);
    goOn.resolve();
    await world.settled();
    expect((await answered(shop)).replies).toEqual([...others.map((from) => `quick ${from}`), 'slow']);
  });

  it('leave an act on a message a transaction of its own', async () => {
    const shop = await world.shop();
    const [reacting = '', ...others] = customers(4);
    await send(shop, [{ from: reacting, text: 'liked' }]);
    work({ parts: { middleware: [repeats] } });
    await world.settled();
    await Promise.all(workers.map((worker) => worker.stop(5_000)));
    const [liked] = await world.db.ownerQuery<{ id: string }>(
      `SELECT provider_message_id AS id FROM messages WHERE workspace_id = $1 AND direction = 'in'`,
      [shop.workspaceId],
    );
    const reaction = {
      ...text({ from: reacting }),
      type: 'reaction',
      reaction: { message_id: liked?.id, emoji: '👍' },
    };
    await world.receiver().receive(delivery(shop, body(shop, value(shop, { messages: [reaction] }))));
    await send(
      shop,
      others.map((from) => ({ from, text: `beside ${from}` })),
    );
    work({ parts: { middleware: [repeats] } });
    await world.settled();
    expect((await answered(shop)).replies).toEqual([...others.map((from) => `beside ${from}`), 'liked']);
    const [row] = await world.db.ownerQuery(
      `SELECT reactions->'customer'->>'emoji' AS emoji FROM messages WHERE workspace_id = $1 AND provider_message_id = $2`,
      [shop.workspaceId, liked?.id],
    );
    expect(row).toEqual({ emoji: '👍' });
  });
});
