/** However much others have queued, a workspace that was not served lately is next: within a lane, place by place. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type DispatchWorld, eventually, openDispatchWorld } from './dispatch-world.ts';
import { addPlace, type Conversation, text } from './world.ts';

let world: DispatchWorld;
beforeAll(async () => {
  world = await openDispatchWorld();
});
afterEach(() => world.rest());
afterAll(() => world.close());

/** A workspace that has this many conversations waiting, a message each. */
async function addLoud(name: string, count: number): Promise<Conversation> {
  const place = await addPlace(world);
  for (let index = 0; index < count; index += 1) {
    const conversationId = await world.addConversation(place);
    await world.queue({ ...place, conversationId }, { content: text(name) });
  }
  return place;
}

/** The provider answers nobody but who is let go, the oldest first. */
function answerOneByOne() {
  const waiting: (() => void)[] = [];
  const requests = world.provider.requests;
  const before = requests.length;
  world.provider.behave((_send, answer) => {
    waiting.push(() => answer.accept());
  });
  const sent = () => requests.slice(before).map((send) => send.text);
  return {
    sent,
    /** Until that many requests have come in. */
    came: (count: number) => eventually(() => expect(sent().length).toBe(count)),
    letOneGo: () => waiting.shift()!(),
    letAllGo() {
      world.provider.behave((_send, answer) => answer.accept());
      for (const accept of waiting.splice(0)) accept();
    },
  };
}

test('of two loud workspaces that hold every place, none is given the next place before a quiet one', async () => {
  await addLoud('loud A', 20);
  await addLoud('loud B', 20);
  const quiet = await addPlace(world);
  const provider = answerOneByOne();
  world.start({ settings: { maxInFlight: 6, maxPerWorkspace: 4 } });
  await provider.came(6);
  await world.queue(quiet, { content: text('quiet') });
  // A place is free at a time, as when every send takes its own time.
  for (let count = 7; !provider.sent().includes('quiet') && count < 40; count += 1) {
    provider.letOneGo();
    await provider.came(count);
  }
  const others = provider.sent().slice(6).indexOf('quiet');
  provider.letAllGo();
  expect(others).toBe(0);
});

test('with more workspaces than places the one that was served longest ago is next, whoever has waited longer', async () => {
  for (const name of ['A', 'B', 'C']) await addLoud(name, 4);
  const quiet = await addPlace(world);
  const provider = answerOneByOne();
  world.start({ settings: { maxInFlight: 1 } });
  for (let count = 1; count < 8; count += 1) {
    await provider.came(count);
    if (count === 4) await world.queue(quiet, { content: text('quiet') });
    provider.letOneGo();
  }
  await provider.came(8);
  provider.letAllGo();
  expect(provider.sent().slice(0, 8)).toEqual(['A', 'B', 'C', 'A', 'quiet', 'B', 'C', 'A']);
});
