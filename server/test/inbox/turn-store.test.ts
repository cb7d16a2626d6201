/** SQL of turns: which event is next, and that each ends once. */
import type { TurnId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#kernel';
import type { Storage, WorkspaceTx } from '#storage';
import {
  type ConversationLease,
  endTurns,
  leaseConversations,
  NoLongerPending,
  type PendingEvent,
  startTurns,
} from '../../src/inbox/turns/turn-store.ts';
import { delivery, type InboxWorld, openInboxWorld, type Shop, textBody } from './world.ts';

let world: InboxWorld;

/** Reads deliveries, but takes no turn: what is pending stays so. */
beforeAll(async () => {
  world = await openInboxWorld();
  const { storage } = world.db;
  const leasesNothing: Storage = {
    ...storage,
    workerStatement: (statement, values, name) =>
      name === 'inbox-lease-conversations' ? Promise.resolve([]) : storage.workerStatement(statement, values, name),
  };
  world.worker({ storage: leasesNothing, turnLimits: { turnsAtOnce: 0 } });
});
afterAll(() => world.close());

/** Messages of one customer, each answered before the next was sent; pending. */
async function say(shop: Shop, ...texts: readonly string[]): Promise<void> {
  const receiver = world.receiver();
  for (const text of texts) await receiver.receive(delivery(shop, textBody(shop, { text })));
  await world.eventually(async () => (await eventsOf(shop)).length === texts.length);
}

const eventsOf = (shop: Shop) =>
  world.db.ownerQuery<{ state: string; turnId: TurnId | null }>(
    `SELECT state, turn_id AS "turnId" FROM events WHERE workspace_id = $1 ORDER BY position`,
    [shop.workspaceId],
  );

async function lease(shop: Shop): Promise<ConversationLease> {
  const { leases } = await leaseConversations(world.db.storage, {
    ...{ limit: 100, leaseMs: 30_000, maxPerWorkspace: 100 },
    ...{ busyWorkspaces: new Map(), servedLately: [] },
  });
  return leases.find(({ workspaceId }) => workspaceId === shop.workspaceId)!;
}

async function start(tx: WorkspaceTx, held: ConversationLease): Promise<PendingEvent | null> {
  const [locked] = await startTurns(tx, [held], 30_000);
  return locked?.next ?? null;
}

function end(tx: WorkspaceTx, held: ConversationLease, event: PendingEvent, turnId: TurnId) {
  return endTurns(tx, [{ lease: held, event, state: 'handled', reason: 'answered', waitKey: null, turnId }]);
}

/** Ends the conversation's turns one after the other; gives the texts. */
async function endAll(shop: Shop): Promise<string[]> {
  const held = await lease(shop);
  return world.db.storage.inWorkspace(shop.workspaceId, async (tx) => {
    const texts: string[] = [];
    for (let next = await start(tx, held); next; next = await start(tx, held)) {
      if (next.event.content.type === 'text') texts.push(next.event.content.text);
      await end(tx, held, next, newId('turn') as TurnId);
    }
    return texts;
  });
}

const accountSid = `AC${'1'.padStart(32, '0')}`;
const sender = 'whatsapp:+15550001111';

/** As Twilio sends it: without a time. */
function twilioText(text: string): string {
  const parties = { AccountSid: accountSid, From: 'whatsapp:+15550002222', To: sender, WaId: '15550002222' };
  return new URLSearchParams({ MessageSid: `SM${text}`, ...parties, NumMedia: '0', Body: text }).toString();
}

describe('a turn', () => {
  it('of an event that another has ended while this one waited for the lock leaves nothing behind', async () => {
    const shop = await world.shop();
    await say(shop, 'hello');
    const held = await lease(shop);
    const turns = [newId('turn'), newId('turn')] as TurnId[];
    const { storage } = world.db;
    const { again, read } = await storage.inWorkspace(shop.workspaceId, async (tx) => {
      const first = await start(tx, held);
      const waiting = Promise.withResolvers<PendingEvent | null>();
      const second = storage.inWorkspace(shop.workspaceId, async (other) => {
        const next = await start(other, held);
        waiting.resolve(next);
        if (next) await end(other, held, next, turns[1]!);
      });
      const outcome = second.catch((error: unknown) => error);
      await world.eventually(async () => {
        const [row] = await world.db.ownerQuery<{ count: number }>(
          `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return row?.count === 1;
      });
      await end(tx, held, first!, turns[0]!);
      return { again: outcome, read: waiting.promise };
    });
    expect(await again).toBeInstanceOf(NoLongerPending);
    // It did see the event as pending: the lock alone does not keep it from that.
    expect(await read).not.toBeNull();
    expect(await eventsOf(shop)).toEqual([{ state: 'handled', turnId: turns[0] }]);
  });
});

describe('the next event', () => {
  it('is there although it says that it came after what has a higher position, as after a fail-over that lost the last moment', async () => {
    const shop = await world.shop();
    await say(shop, 'first', 'second', 'third');
    await world.db.ownerQuery(
      `UPDATE events SET after_position = position + 1000 WHERE workspace_id = $1 AND payload->'content'->>'text' <> 'third'`,
      [shop.workspaceId],
    );
    expect(await endAll(shop)).toEqual(['first', 'second', 'third']);
  });

  it('is what was stored first where the provider tells no time, whatever the clocks of two gateways say', async () => {
    const shop = await world.shop();
    const texts = ['first', 'second', 'third', 'fourth'];
    const accountId = await world.connect(shop.workspaceId, {
      provider: 'twilio',
      settings: { accountSid, sender },
      secrets: { authToken: 'a token' },
    });
    const gateways = [world.receiver(), world.receiver()];
    const now = Date.now();
    for (const [index, text] of texts.entries()) {
      // The clock of the one is two seconds fast; between two messages half a second passes.
      const receivedAt = new Date(now + index * 500 + (index % 2 === 0 ? 2_000 : 0));
      const facts = { accountId, provider: 'twilio', receivedAt } as const;
      await gateways[index % 2]?.receive(delivery(shop, twilioText(text), facts), 0);
    }
    await world.eventually(async () => (await eventsOf(shop)).length === texts.length);
    expect(await endAll(shop)).toEqual(texts);
  });

  it('is by the provider’s time among those that have one, with those that have none in a row of their own', async () => {
    const shop = await world.shop();
    const texts = ['timed 30', 'none a', 'timed 10', 'none b', 'timed 20'];
    await say(shop, ...texts);
    const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds));
    // Received at 15 and, by a slower clock, at 5.
    const times = { 'timed 30': at(30), 'timed 10': at(10), 'timed 20': at(20) };
    const received = { 'none a': at(15), 'none b': at(5) };
    for (const text of texts)
      await world.db.ownerQuery(
        `UPDATE events SET after_position = 0, occurred_at = $3, received_at = COALESCE($4, received_at)
         WHERE workspace_id = $1 AND payload->'content'->>'text' = $2`,
        [shop.workspaceId, text, times[text as never] ?? null, received[text as never] ?? null],
      );
    expect(await endAll(shop)).toEqual(['timed 10', 'none a', 'none b', 'timed 20', 'timed 30']);
  });
});
