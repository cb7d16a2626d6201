/** Workers whose clocks are hours apart: each message has its turn once, in its order, and none waits for a clock. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Clock } from '#kernel';
import { delivery, type InboxWorld, openInboxWorld, textBody } from './world.ts';

let world: InboxWorld;
beforeAll(async () => {
  world = await openInboxWorld();
});
afterAll(() => world.close());

const wrongByMs = 3_600_000;
const clockAhead = (ms: number): Clock => ({
  now: () => new Date(Date.now() + ms),
  elapsedMs: () => performance.now(),
});

it('takes each message up once, answers it in its order, whoever has received and whoever handles it', async () => {
  const shop = await world.shop();
  for (const ms of [-wrongByMs, wrongByMs])
    world.worker({ clock: clockAhead(ms), storage: await world.connection(`ahead by ${ms}`) });
  const receiver = world.receiver();
  const froms = ['34680000001', '34680000002', '34680000003', '34680000004'];
  const began = Math.floor(Date.now() / 1_000) - 10;
  const wanted = froms.flatMap((from) => [1, 2, 3, 4].map((nth) => `wamid.${from}.${nth}`));
  for (const nth of [1, 2, 3, 4]) {
    // Those of gateways are wrong too. One that is behind by more than a quarter of an hour makes messages look too old to answer.
    const receivedAt = new Date(Date.now() + (nth % 2 === 0 ? -wrongByMs / 10 : wrongByMs));
    const bodies = froms.map((from) => textBody(shop, { from, id: `wamid.${from}.${nth}`, at: began + nth }));
    await Promise.all(bodies.map((body) => receiver.receive(delivery(shop, body, { receivedAt }))));
  }
  await world.settled();
  const turns = await world.db.ownerQuery<{ id: string; turns: number }>(
    `SELECT payload->>'providerMessageId' AS id, count(DISTINCT turn_id)::int AS turns FROM events
      WHERE workspace_id = $1 AND state = 'handled' GROUP BY 1`,
    [shop.workspaceId],
  );
  expect(turns.map(({ id }) => id).sort()).toEqual(wanted.toSorted());
  expect(turns.every((one) => one.turns === 1)).toBe(true);
  const answers = await world.db.ownerQuery<{ conversation: string; order: string }>(
    `SELECT o.conversation_id AS conversation,
       array_agg(right(e.payload->>'providerMessageId', 1) ORDER BY o.ordinal)::text AS order
       FROM outbox o JOIN events e ON e.workspace_id = o.workspace_id AND e.turn_id = o.turn_id
      WHERE o.workspace_id = $1 GROUP BY 1`,
    [shop.workspaceId],
  );
  expect(answers.map(({ order }) => order)).toEqual(froms.map(() => '{1,2,3,4}'));
});
