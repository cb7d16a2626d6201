/** The server that a measurement takes as its other side: it knows no lanes and no turns, and works all the same. */
import { join } from 'node:path';
import type { OutboundId } from '@switchyard/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { indexWithoutLanes, lanesOff } from '../../../tools/bench/lanes-off.ts';
import { type EditedCopy, makeEditedCopy } from '../../../tools/edited-copy.ts';
import type * as shelves from '../../src/inbox/normalise/normalise-store.ts';
import type * as turns from '../../src/inbox/turns/turn-store.ts';
import type * as claims from '../../src/outbox/dispatch/claim-store.ts';
import type { Lane } from '../../src/outbox/outbox.ts';
import { addPlace, openWorld, type World } from './world.ts';

let world: World;
let copy: EditedCopy;
beforeAll(async () => {
  world = await openWorld();
  await indexWithoutLanes(world.db.ownerUrl);
  copy = makeEditedCopy(lanesOff);
});
afterAll(async () => {
  copy?.remove();
  await world.close();
});

const load = <Module>(file: string): Promise<Module> => import(/* @vite-ignore */ join(copy.home, 'server/src', file));

test('sends what is due longest, whatever its lane and whoever it is of', async () => {
  const [loud, quiet] = [await addPlace(world), await addPlace(world)];
  const queued: OutboundId[] = [];
  const queue = async (place: typeof loud, lane: Lane) => {
    const conversationId = await world.addConversation(place);
    queued.push(await world.queue({ ...place, conversationId }, { lane }));
  };
  await queue(loud, 'campaign');
  await queue(loud, 'reply');
  await queue(loud, 'campaign');
  await queue(quiet, 'reply');
  await world.db.ownerQuery(
    `UPDATE outbox SET due_at = now() - interval '1 minute' / array_position($1::uuid[], id) WHERE id = ANY($1)`,
    [queued],
  );
  const { claimHeads } = await load<typeof claims>('outbox/dispatch/claim-store.ts');
  const { messages } = await claimHeads(world.db.storage, {
    ...{ maxMessages: 3, maxPerWorkspace: 1, maxPerAccount: 1, leaseMs: 30_000, uncertainWaitMs: 30_000 },
    ...{ heldLanes: [], busyWorkspaces: new Map(), busyAccounts: new Map(), servedLately: [loud.workspaceId] },
  });
  expect(messages.map(({ outboundId }) => outboundId)).toEqual(queued.slice(0, 3));
});

test('answers conversations that are due longest, whoever they are of', async () => {
  const [loud, quiet] = [await addPlace(world), await addPlace(world)];
  const second = await world.addConversation(loud);
  const due = [loud.conversationId, second, quiet.conversationId];
  await world.db.ownerQuery(
    `UPDATE conversations SET next_due_at = now() - interval '1 minute' / array_position($1::uuid[], id) WHERE id = ANY($1)`,
    [due],
  );
  const { leaseConversations } = await load<typeof turns>('inbox/turns/turn-store.ts');
  const { leases } = await leaseConversations(world.db.storage, {
    ...{ limit: 2, leaseMs: 30_000, maxPerWorkspace: 1 },
    ...{ busyWorkspaces: new Map(), servedLately: [loud.workspaceId] },
  });
  expect(leases.map(({ conversationId }) => conversationId).sort()).toEqual(due.slice(0, 2).sort());
});

test('reads the oldest deliveries, of whichever shard', async () => {
  await world.db.ownerQuery(
    `WITH made AS (SELECT gen_random_uuid() AS id, n FROM generate_series(1, 6) AS n),
     kept AS (INSERT INTO deliveries (workspace_id, id, provider, route_kind, method, target, headers, body, received_at)
       SELECT $1, id, 'meta', 'token', 'POST', '/', '{}', '', now() FROM made)
     INSERT INTO inbox (workspace_id, id, shard, position, after_position)
       SELECT $1, id, CASE WHEN n <= 5 THEN 3 ELSE 4 END, n, 0 FROM made`,
    ['01890000-0000-7000-8000-000000000001'],
  );
  await world.db.ownerQuery(
    `UPDATE inbox_shards SET leased_by = 'reader', leased_until = now() + interval '1 minute' WHERE shard IN (3, 4)`,
  );
  const { readStatement } = await load<typeof shelves>('inbox/normalise/normalise-store.ts');
  const { text, values, name } = readStatement('reader', 4, 1_000);
  const read = await world.db.storage.workerStatement<{ position: string }>(text, values, name);
  expect(read.map(({ position }) => Number(position))).toEqual([1, 2, 3, 4]);
});

test('an edit that does not find its place is refused', () => {
  const edits = [{ file: 'outbox/states.ts', find: 'what nobody wrote', put: '' }];
  expect(() => makeEditedCopy(edits)).toThrow('0 times in outbox/states.ts');
});
