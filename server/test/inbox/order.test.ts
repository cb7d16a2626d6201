/** Promise 3: one conversation's events one at a time and in order, across workers; conversations in parallel. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NudgeableDrain } from '#inbox';
import type { Middleware } from '#pipeline';
import { delivery, type InboxWorld, openInboxWorld, type Shop, textBody } from './world.ts';

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

function work(count: number, facts: Parameters<InboxWorld['worker']>[0] = {}): void {
  workers = Array.from({ length: count }, () => world.worker(facts));
}

/** Of each customer, what was handled, in the order of the turns' commits. */
async function handled(shop: Shop): Promise<Record<string, string[]>> {
  const rows = await world.db.ownerQuery<{ sender: string; texts: string[] }>(
    `SELECT ltrim(e.payload->'customer'->0->>'value', '+') AS sender,
       array_agg(e.payload->'content'->>'text' ORDER BY e.settled_at, t.id) AS texts
     FROM events e JOIN turns t ON t.workspace_id = e.workspace_id AND t.id = e.turn_id
     WHERE e.workspace_id = $1 GROUP BY 1`,
    [shop.workspaceId],
  );
  return Object.fromEntries(rows.map(({ sender, texts }) => [sender, texts]));
}

const quiet: readonly Middleware[] = [];

describe('turns', () => {
  it('keep the order of each of many conversations across three workers while messages come in', async () => {
    const shop = await world.shop();
    work(3, { parts: { middleware: quiet } });
    const receivers = [world.receiver(), world.receiver()];
    const customers = Array.from({ length: 8 }, (_, i) => `3461000000${i}`);
    const numbers = Array.from({ length: 12 }, (_, i) => String(i));
    await Promise.all(
      customers.map(async (from, i) => {
        for (const number of numbers)
          await receivers[i % 2]?.receive(delivery(shop, textBody(shop, { from, text: number, at: 1_760_000_000 })));
      }),
    );
    await world.settled();
    expect(await handled(shop)).toEqual(Object.fromEntries(customers.map((from) => [from, numbers])));
  });

  it('never run two of one conversation at once, and run those of several side by side', async () => {
    const shop = await world.shop();
    const running = new Map<string, number>();
    let most = 0;
    let overlaps = 0;
    const watch: Middleware = {
      name: 'watch',
      async handle(ctx, next) {
        const { id } = ctx.input.conversation;
        running.set(id, (running.get(id) ?? 0) + 1);
        if ((running.get(id) ?? 0) > 1) overlaps += 1;
        most = Math.max(most, [...running.values()].filter((count) => count > 0).length);
        await ctx.tx.query('SELECT pg_sleep(0.01)');
        running.set(id, (running.get(id) ?? 0) - 1);
        return next(ctx);
      },
    };
    const receiver = world.receiver();
    for (let i = 0; i < 30; i += 1)
      await receiver.receive(delivery(shop, textBody(shop, { from: `3462000000${i % 5}` })));
    work(2, { parts: { middleware: [watch] } });
    await world.settled();
    expect({ overlaps, isParallel: most > 1 }).toEqual({ overlaps: 0, isParallel: true });
  });

  it('take those in flight together by the provider’s clock, then by their place in the delivery', async () => {
    const shop = await world.shop();
    const receiver = world.receiver();
    const began = receiver.committedPosition;
    const at = 1_760_000_000;
    await receiver.receive(delivery(shop, textBody(shop, { text: 'third', at: at + 9 })), began);
    await receiver.receive(delivery(shop, textBody(shop, { text: 'second', at: at + 5 })), began);
    const same = textBody(shop, { text: 'first', at: at + 1 }, { text: 'and a half', at: at + 1 });
    await receiver.receive(delivery(shop, same), began);
    work(2, { parts: { middleware: quiet } });
    await world.settled();
    expect(Object.values(await handled(shop))).toEqual([['first', 'and a half', 'second', 'third']]);
  });

  it('take what was answered first before what was sent after it, whatever the clocks say', async () => {
    const shop = await world.shop();
    const receiver = world.receiver();
    const at = 1_760_000_000;
    await receiver.receive(delivery(shop, textBody(shop, { text: 'first', at: at + 60 })));
    await receiver.receive(delivery(shop, textBody(shop, { text: 'second', at: at + 30 })));
    await receiver.receive(delivery(shop, textBody(shop, { text: 'third', at })));
    work(2, { parts: { middleware: quiet } });
    await world.settled();
    expect(Object.values(await handled(shop))).toEqual([['first', 'second', 'third']]);
  });

  it('keep three hundred messages of one body in order, and take each once', async () => {
    const shop = await world.shop();
    const texts = Array.from({ length: 300 }, (_, i) => ({ text: String(i), at: 1_760_000_000 }));
    await world.receiver().receive(delivery(shop, textBody(shop, ...texts)));
    work(2, { parts: { middleware: quiet } });
    await world.settled();
    expect(Object.values(await handled(shop))).toEqual([texts.map(({ text }) => text)]);
  });
});

/** A small generator with a seed: the same run every time. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

describe('whatever arrived while whatever else was in flight', () => {
  it.each([1, 2, 3])('nothing is taken before what was answered before it was sent (seed %i)', async (seed) => {
    const random = seeded(seed);
    const shop = await world.shop();
    const receiver = world.receiver();
    const began = [receiver.committedPosition];
    for (let i = 0; i < 25; i += 1) {
      const sentAfter = began[Math.max(0, began.length - 1 - random(4))];
      const facts = { text: String(i), at: 1_760_000_000 + random(60) };
      await receiver.receive(delivery(shop, textBody(shop, facts)), sentAfter);
      began.push(receiver.committedPosition);
    }
    work(2, { parts: { middleware: quiet } });
    await world.settled();
    const taken = await world.db.ownerQuery<{ position: string; after: string }>(
      `SELECT e.position, e.after_position AS after FROM events e JOIN turns t ON t.id = e.turn_id
       WHERE e.workspace_id = $1 ORDER BY e.settled_at, t.id`,
      [shop.workspaceId],
    );
    expect(taken).toHaveLength(25);
    const isBroken = taken.some((one, i) =>
      taken.slice(i + 1).some((later) => BigInt(later.position) <= BigInt(one.after)),
    );
    const isSorted = taken.every((one, i) => i === 0 || BigInt(one.position) > BigInt(taken[i - 1]?.position ?? 0));
    // Not merely in the order of arrival: the provider's clock has its say among those in flight together.
    expect({ isBroken, isSorted }).toEqual({ isBroken: false, isSorted: false });
  });
});

describe('a message whose turn fails', () => {
  const failing = (isFailing: (text: string) => boolean): Middleware => ({
    name: 'failing',
    async handle(ctx, next) {
      const { content } = ctx.input.stored.event;
      if (content.type === 'text' && isFailing(content.text)) throw new Error('a middleware of theirs failed');
      return next(ctx);
    },
  });

  it('is tried three times with a pause, ends as a dead letter, and neither its successors nor others wait for ever', async () => {
    const shop = await world.shop();
    const receiver = world.receiver();
    for (const one of ['before', 'poison', 'after'])
      await receiver.receive(delivery(shop, textBody(shop, { from: '34630000001', text: one })));
    await receiver.receive(delivery(shop, textBody(shop, { from: '34630000002', text: 'another customer' })));
    const turnLimits = { retryDelayMs: 300, idleMs: 50 };
    work(1, { parts: { middleware: [failing((text) => text === 'poison')] }, turnLimits });
    await world.eventually(async () => Object.keys(await handled(shop)).length === 2);
    expect((await handled(shop))['34630000001']).toEqual(['before']);
    // What comes meanwhile neither overtakes it nor uses its tries up.
    await receiver.receive(delivery(shop, textBody(shop, { from: '34630000001', text: 'meanwhile' })));
    await world.settled();
    expect((await handled(shop))['34630000001']).toEqual(['before', 'after', 'meanwhile']);
    const dead = await world.db.ownerQuery(
      `SELECT l.reason, l.detail, e.state, e.attempts, (e.settled_at - e.created_at) > interval '850 milliseconds' AS "hasRested"
       FROM dead_letters l JOIN events e ON e.id = l.event_id WHERE l.workspace_id = $1`,
      [shop.workspaceId],
    );
    expect(dead).toEqual([
      { reason: 'failed', detail: 'Error: a middleware of theirs failed', state: 'dead', attempts: 3, hasRested: true },
    ]);
  });

  it('takes effect when a later try succeeds', async () => {
    const shop = await world.shop();
    let tries = 0;
    const atFirst = failing(() => {
      tries += 1;
      return tries < 3;
    });
    await world.receiver().receive(delivery(shop, textBody(shop, { text: 'at last' })));
    work(1, { parts: { middleware: [atFirst] }, turnLimits: { retryDelayMs: 20, idleMs: 20 } });
    await world.settled();
    expect(Object.values(await handled(shop))).toEqual([['at last']]);
    expect(tries).toBe(3);
  });

  it('leaves nothing of a failed try behind', async () => {
    const shop = await world.shop();
    const half: Middleware = {
      name: 'half',
      async handle(ctx) {
        await ctx.tx.query(`UPDATE conversations SET session = '{"half": true}' WHERE id = $1`, [
          ctx.input.conversation.id,
        ]);
        throw new Error('after a write');
      },
    };
    await world.receiver().receive(delivery(shop, textBody(shop, {})));
    work(1, { parts: { middleware: [half] }, turnLimits: { retryDelayMs: 10, idleMs: 20 } });
    await world.settled();
    const rows = await world.db.ownerQuery(
      `SELECT v.session, (SELECT count(*)::int FROM messages m WHERE m.workspace_id = v.workspace_id) AS messages
       FROM conversations v WHERE v.workspace_id = $1`,
      [shop.workspaceId],
    );
    expect(rows).toEqual([{ session: {}, messages: 0 }]);
  });
});
