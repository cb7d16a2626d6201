import type { RouteOptions } from 'fastify';
import { expect, it } from 'vitest';
import { type ApiRoute, listRoute } from './guard.ts';

function list(config: RouteOptions['config'], url = '/things'): readonly ApiRoute[] {
  const routes: ApiRoute[] = [];
  const handler = () => 'never called';
  listRoute(routes, { method: ['GET', 'POST'], url, handler, ...(config ? { config } : {}) });
  return routes;
}

it('stops the start for a route that does not say who may call it', () => {
  expect(() => list(undefined)).toThrow('GET,POST /things does not say who may call it');
  expect(() => list({})).toThrow('does not say who may call it');
});

it('stops the start for a route that asks a stranger to show again who they are', () => {
  expect(() => list({ access: 'anyone' }, '/api/v1/api-keys')).toThrow('/api/v1/api-keys');
});

it('lists each method with its row in the table of roles', () => {
  const access = { resource: 'accounts', action: 'write' } as const;
  expect(list({ access }, '/api/v1/api-keys')).toEqual([
    { method: 'GET', url: '/api/v1/api-keys', access, stepUp: 'never' },
    { method: 'POST', url: '/api/v1/api-keys', access, stepUp: 'always' },
  ]);
});
