/**
 * What stands before every route: each names who may call it, and one that names nobody stops the start.
 *
 * Access is settled before the body is read, so that a stranger learns nothing from how a body is refused.
 */
import type { FastifyRequest, RouteOptions } from 'fastify';
import type { Principal } from '#workspaces';
import { type Access, accessTo, actorOf, authenticate, checkRight, type Need } from './access.ts';
import type { ApiDeps } from './deps.ts';
import { ProblemError } from './problem.ts';
import { checkRate } from './rate-limit.ts';

/** `anyone`; `known`: who has logged in or shows a key; `member`: of a workspace, with any right; or one right in it. */
export type RouteAccess = 'anyone' | 'known' | 'member' | Need;

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess;
  }
  interface FastifyInstance {
    /** Every route under `/api/v1`, with who may call it. */
    readonly apiRoutes: readonly ApiRoute[];
  }
}

export interface ApiRoute {
  readonly method: string;
  readonly url: string;
  readonly access: RouteAccess;
}

/** For `onRoute`: takes the route into the list, or stops the start. */
export function listRoute(routes: ApiRoute[], route: RouteOptions): void {
  const access = route.config?.access;
  if (!access) throw new Error(`${String(route.method)} ${route.url} does not say who may call it`);
  for (const method of [route.method].flat()) routes.push({ method, url: route.url, access });
}

const principals = new WeakMap<FastifyRequest, Principal>();
const accesses = new WeakMap<FastifyRequest, Access>();

/** For `onRequest`. */
export function guard(deps: ApiDeps) {
  return async (request: FastifyRequest): Promise<void> => {
    const need = request.routeOptions.config.access;
    if (need === 'anyone') return;
    const principal = await authenticate(request, deps.workspaces, deps.publicUrl);
    await checkRate(deps, actorOf(principal));
    principals.set(request, principal);
    if (need === 'known') return;
    const access = accessTo(request, principal);
    if (need !== 'member' && need !== undefined) checkRight(access, need);
    accesses.set(request, access);
  };
}

/** Of a route that is not for `anyone`. */
export function principalOf(request: FastifyRequest): Principal {
  const principal = principals.get(request);
  if (!principal) throw new ProblemError('unauthenticated', 'log in, or send an API key as a bearer token');
  return principal;
}

/** Of a route that needs a right in a workspace. */
export function accessOf(request: FastifyRequest): Access {
  const access = accesses.get(request);
  if (!access) throw new ProblemError('unauthenticated', 'log in, or send an API key as a bearer token');
  return access;
}

/** Null for routes outside workspaces. */
export function findAccess(request: FastifyRequest): Access | null {
  return accesses.get(request) ?? null;
}
