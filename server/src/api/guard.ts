/**
 * What stands before every route: each names who may call it, and one that names nobody stops the start.
 *
 * Access is settled before the body is read, so that a stranger learns nothing from how a body is refused.
 */
import type { FastifyRequest, RouteOptions } from 'fastify';
import { type Principal, stepUpMs } from '#workspaces';
import { type Access, accessTo, actorOf, authenticate, checkRight, type Need } from './access.ts';
import { isMadeDangerous, type StepUpNeed, stepUpNeed } from './dangerous-acts.ts';
import type { ApiDeps } from './deps.ts';
import { ProblemError } from './problem.ts';
import { checkRate } from './rate-limit.ts';

/**
 * `anyone`; `known`: who has logged in or shows a key; `person`: who has logged in, never a key; `member`: of a
 * workspace, with any right; or one right in it, a row of the table of roles.
 */
export type RouteAccess = 'anyone' | 'known' | 'person' | 'member' | Need;

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
  readonly stepUp: StepUpNeed;
}

/** For `onRoute`: takes the route into the list, or stops the start. */
export function listRoute(routes: ApiRoute[], route: RouteOptions): void {
  const access = route.config?.access;
  if (!access) throw new Error(`${String(route.method)} ${route.url} does not say who may call it`);
  for (const method of [route.method].flat()) {
    const stepUp = stepUpNeed(method, route.url);
    if (stepUp !== 'never' && access === 'anyone')
      throw new Error(`${route.url} asks a stranger to show again who they are`);
    routes.push({ method, url: route.url, access, stepUp });
  }
}

const principals = new WeakMap<FastifyRequest, Principal>();
const accesses = new WeakMap<FastifyRequest, Access>();

/** For `onRequest`. */
export function guard(deps: ApiDeps) {
  return async (request: FastifyRequest): Promise<void> => {
    const { access: need } = request.routeOptions.config;
    if (need === 'anyone') return;
    const principal = await authenticate(request, deps.workspaces, deps.publicUrl);
    await checkRate(deps, actorOf(principal));
    principals.set(request, principal);
    if (need === 'person') checkPerson(principal);
    if (need !== 'known' && need !== 'person') {
      const access = accessTo(request, principal);
      if (need !== 'member' && need !== undefined) checkRight(access, need);
      accesses.set(request, access);
    }
    if (stepUpNeed(request.method, request.routeOptions.url) === 'always') checkStepUp(principal, deps.clock.now());
  };
}

/** For `preHandler`: of acts that their body makes dangerous, after it was held against its schema. */
export function guardBody(deps: ApiDeps) {
  return async (request: FastifyRequest): Promise<void> => {
    if (!isMadeDangerous(request.method, request.routeOptions.url, request.body)) return;
    checkStepUp(principalOf(request), deps.clock.now());
  };
}

type PersonPrincipal = Extract<Principal, { kind: 'person' }>;

function checkPerson(principal: Principal): asserts principal is PersonPrincipal {
  if (principal.kind !== 'person') throw new ProblemError('forbidden', 'only a person who has logged in may do this');
}

/** After the right: who may not do it at all is not asked for a password. */
function checkStepUp(principal: Principal, now: Date): void {
  if (principal.kind === 'key') return;
  if (now.getTime() - principal.provedAt.getTime() <= stepUpMs) return;
  throw new ProblemError('step-up-needed', 'show your password or a code once more for this');
}

/** Of a route for a `person`. */
export function personOf(request: FastifyRequest): PersonPrincipal {
  const principal = principalOf(request);
  checkPerson(principal);
  return principal;
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
