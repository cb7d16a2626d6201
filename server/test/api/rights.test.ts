/** What each role and each scope may do: every route against the one table. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiRoute } from '#api';
import { type MemberRole, mayByRole, memberRoles } from '#workspaces';
import { type Furnished, furnish } from './furnish.ts';
import { pathOf, routeCases, routeName } from './route-table.ts';
import { type Answer, allScopes, openWorld, type World } from './world.ts';

let world: World;
let shop: Furnished;

beforeAll(async () => {
  world = await openWorld();
  shop = await furnish(world, 'shop');
});
afterAll(() => world.close());

/** With an id that is not there, so that a right shows as 404 and nothing is used up by the walk. */
function call(route: ApiRoute, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const { body } = routeCases[routeName(route)] ?? {};
  return world.ask(route.method, pathOf(route.url, 'nothing'), { headers, body });
}

const guarded = () => world.app.apiRoutes.filter((route) => typeof route.access === 'object');

describe.each(memberRoles)('the role %s', (role: MemberRole) => {
  it('may do what the table of roles gives it, and nothing else', async () => {
    const person = await world.addPerson(shop.workspaceId, role);
    const headers = await person.logIn();
    for (const route of guarded()) {
      if (typeof route.access !== 'object') continue;
      const allowed: readonly MemberRole[] = mayByRole[route.access.resource][route.access.action];
      const { status } = await call(route, headers);
      expect([routeName(route), status === 403]).toEqual([routeName(route), !allowed.includes(role)]);
      expect(status).toBeLessThan(500);
    }
  });
});

describe('a key', () => {
  it('is refused by every route whose scope it lacks', async () => {
    for (const route of guarded()) {
      if (typeof route.access !== 'object') continue;
      const scope = `${route.access.resource}:${route.access.action}`;
      const without = await world.addKey(
        shop.workspaceId,
        allScopes.filter((other) => other !== scope),
      );
      const answer = await call(route, without);
      expect([routeName(route), answer.status]).toEqual([routeName(route), 403]);
      expect(answer.json()).toMatchObject({ code: 'forbidden' });
      const onlyIt = await world.addKey(shop.workspaceId, [scope]);
      expect([routeName(route), (await call(route, onlyIt)).status]).not.toEqual([routeName(route), 403]);
    }
  });

  it('reads with `read` and nothing more, and sees no token, key, member or whole person by it', async () => {
    const headers = await world.addKey(shop.workspaceId, ['read']);
    const named = new Set(['tokens', 'api-keys', 'members', 'audit', 'privacy']);
    for (const route of guarded()) {
      if (typeof route.access !== 'object') continue;
      const mayRead = route.access.action === 'read' && !named.has(route.access.resource);
      expect([routeName(route), (await call(route, headers)).status === 403]).toEqual([routeName(route), !mayRead]);
    }
  });

  it('is given no right that its maker has not', async () => {
    const admin = await (await world.addPerson(shop.workspaceId, 'admin')).logIn();
    const owner = await (await world.addPerson(shop.workspaceId, 'owner')).logIn();
    const maker = await world.addKey(shop.workspaceId, ['api-keys:write', 'accounts:read']);
    const make = async (headers: Record<string, string>, scopes: readonly string[]) =>
      (await world.ask('POST', '/api/v1/api-keys', { headers, body: { name: 'x', scopes } })).status;
    expect(await make(admin, ['read', 'write'])).toBe(201);
    expect(await make(admin, ['audit:write'])).toBe(403);
    expect(await make(admin, ['migrations:write'])).toBe(403);
    expect(await make(owner, ['audit:write', 'migrations:write', 'workspace:write'])).toBe(201);
    expect(await make(maker, ['accounts:read'])).toBe(201);
    expect(await make(maker, ['accounts:write'])).toBe(403);
    expect(await make(maker, ['read'])).toBe(403);
    expect(await make(owner, ['everything'])).toBe(422);
  });

  it('is worth nothing once it is revoked or has expired', async () => {
    const headers = await world.addKey(shop.workspaceId, ['read', 'api-keys:read', 'api-keys:write']);
    expect((await world.ask('GET', '/api/v1/accounts', { headers })).status).toBe(200);
    const { data } = (await world.ask('GET', '/api/v1/api-keys', { headers })).json<{
      data: { id: string; lastFour: string }[];
    }>();
    const own = data.find(({ lastFour }) => headers.authorization?.endsWith(lastFour));
    expect((await world.ask('DELETE', `/api/v1/api-keys/${own?.id}`, { headers })).status).toBe(204);
    expect((await world.ask('GET', '/api/v1/accounts', { headers })).status).toBe(401);
    await world.db.ownerQuery(`UPDATE api_keys SET revoked_at = NULL, expires_at = now() - interval '1 second'`);
    expect((await world.ask('GET', '/api/v1/accounts', { headers })).status).toBe(401);
  });
});

it('lets nobody in without a key or a session', async () => {
  for (const route of world.app.apiRoutes) {
    if (route.access === 'anyone') continue;
    for (const headers of [{}, { authorization: 'Bearer swy_guess' }, { authorization: 'Basic eDp5' }]) {
      const answer = await call(route, headers);
      expect([routeName(route), answer.status]).toEqual([routeName(route), 401]);
      expect(answer.json()).toMatchObject({ code: 'unauthenticated' });
    }
  }
});
