/** No route gives a workspace anything of another, whoever asks and whichever ids they know. */
import { idPrefixes, toPublicId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiRoute } from '#api';
import { newId } from '#kernel';
import { type Furnished, furnish, type Kind } from './furnish.ts';
import { pathOf, routeCases, routeName } from './route-table.ts';
import { openWorld, type World } from './world.ts';

let world: World;
let ours: Furnished;
let theirs: Furnished;
let callers: Readonly<Record<string, Record<string, string>>>;

beforeAll(async () => {
  world = await openWorld();
  ours = await furnish(world, 'ours');
  theirs = await furnish(world, 'theirs');
  const owner = await world.addPerson(ours.workspaceId, 'owner');
  callers = { 'a key with every scope': await world.addKey(ours.workspaceId), 'an owner': await owner.logIn() };
});
afterAll(() => world.close());

const anyId = (kind: Kind) => `${idPrefixes[kind]}_${newId(kind).replaceAll('-', '')}`;

/** Everything of theirs, to see that nothing of it was changed. */
async function snapshot(): Promise<string> {
  const tables = [
    'accounts',
    'api_keys',
    'inbox',
    'conversations',
    'messages',
    'outbox',
    'webhook_tokens',
    'alarm_targets',
    'alarm_notices',
    'canaries',
    'canary_runs',
    'audit_log',
    'members',
    'invitations',
  ];
  const rows = await Promise.all(
    tables.map((table) =>
      world.db.ownerQuery(`SELECT * FROM ${table} WHERE workspace_id = $1 ORDER BY 1, 2`, [theirs.workspaceId]),
    ),
  );
  return JSON.stringify(rows);
}

function expectNothingOfTheirs(text: string): void {
  expect(text).not.toContain(theirs.mark);
  for (const id of Object.values(theirs.ids)) expect(text).not.toContain(id.split('_')[1]);
}

/** What is a person's own no key reaches, whatever its scopes. */
function routesFor(caller: string): readonly ApiRoute[] {
  return world.app.apiRoutes.filter(({ access }) => access !== 'person' || caller === 'an owner');
}

it('refuses every key what is a person’s own', async () => {
  const headers = callers['a key with every scope']!;
  for (const route of world.app.apiRoutes.filter(({ access }) => access === 'person')) {
    const { id, body } = routeCases[routeName(route)] ?? {};
    const answer = await world.ask(route.method, pathOf(route.url, id ? ours.ids[id] : ''), { headers, body });
    expect([routeName(route), answer.status]).toEqual([routeName(route), 403]);
  }
});

it('has an entry for every route, and none for a route that is gone', () => {
  expect(world.app.apiRoutes.map(routeName).sort()).toEqual(Object.keys(routeCases).sort());
});

describe.each(['a key with every scope', 'an owner'])('%s of another workspace', (caller) => {
  it('gets the answer of a missing thing for each id of theirs, and changes nothing', async () => {
    const before = await snapshot();
    for (const route of routesFor(caller)) {
      const { id, body } = routeCases[routeName(route)] ?? {};
      if (!id) continue;
      const asking = { headers: callers[caller]!, body };
      const foreign = await world.ask(route.method, pathOf(route.url, theirs.ids[id]), asking);
      const missing = await world.ask(route.method, pathOf(route.url, anyId(id)), asking);
      expect([routeName(route), foreign.status], foreign.text).toEqual([routeName(route), 404]);
      expect(foreign.text).toBe(missing.text);
      expect(missing.status).toBe(404);
      expect(foreign.json()).toMatchObject({ code: 'not-found' });
    }
    expect(await snapshot()).toBe(before);
  });

  it('gets the answer of a missing thing for an id of another kind or shape', async () => {
    for (const route of routesFor(caller)) {
      const { id, body } = routeCases[routeName(route)] ?? {};
      if (!id) continue;
      for (const wrong of ['nothing', toPublicId('workspace', theirs.workspaceId), '%00', '..%2f..']) {
        const answer = await world.ask(route.method, pathOf(route.url, wrong), { headers: callers[caller]!, body });
        expect([400, 404], `${routeName(route)} ${wrong} ${answer.text}`).toContain(answer.status);
      }
    }
  });

  it('finds nothing of theirs in any list', async () => {
    for (const route of routesFor(caller)) {
      const { id, filters } = routeCases[routeName(route)] ?? {};
      if (id || route.method !== 'GET' || route.url.endsWith('/events')) continue;
      const plain = await world.ask('GET', route.url, { headers: callers[caller]! });
      expect(plain.status, plain.text).toBe(200);
      expectNothingOfTheirs(plain.text);
      for (const [name, kind] of Object.entries(filters ?? {})) {
        const filtered = await world.ask('GET', `${route.url}?${name}=${theirs.ids[kind]}`, {
          headers: callers[caller]!,
        });
        expect(filtered.json()).toEqual({ data: [], nextCursor: null });
      }
    }
  });
});

it('does not let a person name a workspace that is not theirs, nor a key any', async () => {
  const named = toPublicId('workspace', theirs.workspaceId);
  for (const text of [named, theirs.workspaceId, 'nonsense', '']) {
    const headers = { ...callers['an owner']!, 'x-switchyard-workspace': text };
    expect((await world.ask('GET', '/api/v1/conversations', { headers })).status).toBe(404);
    expect((await world.ask('GET', '/api/v1/events', { headers })).status).toBe(404);
  }
  const stream = await world.ask('GET', `/api/v1/events?workspace=${named}`, { headers: callers['an owner']! });
  expect(stream.status).toBe(404);
  const headers = { ...callers['a key with every scope']!, 'x-switchyard-workspace': named };
  expectNothingOfTheirs((await world.ask('GET', '/api/v1/conversations', { headers })).text);
});

it('shows a workspace its own things, by the same requests', async () => {
  const headers = callers['a key with every scope']!;
  for (const route of world.app.apiRoutes) {
    const { id } = routeCases[routeName(route)] ?? {};
    if (!id || route.method !== 'GET') continue;
    const answer = await world.ask('GET', pathOf(route.url, ours.ids[id]), { headers });
    expect([routeName(route), answer.status], answer.text).toEqual([routeName(route), 200]);
  }
  const lists = ['accounts', 'deliveries', 'conversations', 'categories', 'products', 'flows', 'api-keys', 'members'];
  for (const list of lists) {
    const { data } = (await world.ask('GET', `/api/v1/${list}`, { headers })).json<{ data: unknown[] }>();
    expect([list, data.length]).not.toEqual([list, 0]);
  }
});
