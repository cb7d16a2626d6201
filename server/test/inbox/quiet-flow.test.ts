/** What one quiet delivery costs the database, from the gateway's insert to the committed turn with its reply. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { delivery, type InboxWorld, openInboxWorld, textBody } from './world.ts';

let world: InboxWorld;
beforeAll(async () => {
  world = await openInboxWorld();
});
afterAll(() => world.close());

it('a known customer’s message costs the statements that are counted here, and no more', async () => {
  const shop = await world.shop();
  const receiver = world.receiver();
  const drain = world.worker();
  const from = '34600111222';
  const say = async (text: string) => {
    await receiver.receive(delivery(shop, textBody(shop, { from, text })));
    await world.settled();
  };
  for (const greeting of ['hola', 'hola', 'hola']) await say(greeting);
  const before = { ...world.db.storage.statements };
  await say('hola');
  await drain.stop(5_000);
  const { app, gateway } = world.db.storage.statements;
  expect({ app: app - before.app, gateway: gateway - before.gateway }).toEqual({ app: 13, gateway: 1 });
});
