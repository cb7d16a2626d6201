import {
  accountChangeSchema,
  accountPageQuerySchema,
  accountSchema,
  type HealthyAccountView,
  healthyAccountSchema,
  madeAccountSchema,
  newAccountSchema,
  pageOf,
  parsePhone,
  type WorkspaceId,
} from '@switchyard/contract';
import { z } from 'zod';
import type { AccountSummary } from '#accounts';
import { loadHealth } from '#monitoring';
import { actingOn } from '../audit.ts';
import { checkCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf, type RouteAccess } from '../guard.ts';
import { pathId } from '../ids.ts';
import { presentAccount } from '../present/account.ts';
import { notFound, ProblemError, refusal } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['accounts'];
const reading: RouteAccess = { resource: 'accounts', action: 'read' };
const writing: RouteAccess = { resource: 'accounts', action: 'write' };

export async function accountRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  readRoutes(routes, deps);
  createRoute(routes, deps);
  changeRoute(routes, deps);
  actRoutes(routes, deps);
}

function readRoutes(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/accounts',
    {
      config: { isHeavy: true, access: reading },
      schema: {
        tags,
        summary: 'List accounts: primary first, then newest',
        description: 'Each with its health in short. `removed=true`: those that were removed and may be restored.',
        querystring: accountPageQuerySchema,
        response: { 200: pageOf(healthyAccountSchema), ...failures },
      },
    },
    async (request) => {
      const { limit, cursor, removed: isRemoved } = request.query;
      checkCursor(cursor, ['uuid']);
      const { workspaceId } = accessOf(request);
      const page = await deps.accounts.listPage(workspaceId, { limit, isRemoved, ...(cursor ? { cursor } : {}) });
      return { data: await withHealth(deps, workspaceId, page.data), nextCursor: page.nextCursor };
    },
  );

  routes.get(
    '/accounts/:id',
    {
      config: { access: reading },
      schema: { tags, summary: 'One account', params: idParams, response: { 200: healthyAccountSchema, ...failures } },
    },
    async (request) => {
      const { workspaceId } = accessOf(request);
      const account = await deps.accounts.find(workspaceId, pathId('account', request.params.id));
      const [presented] = account ? await withHealth(deps, workspaceId, [account]) : [];
      if (!presented) throw notFound('account');
      return presented;
    },
  );
}

async function withHealth(
  deps: ApiDeps,
  workspaceId: WorkspaceId,
  accounts: readonly AccountSummary[],
): Promise<HealthyAccountView[]> {
  const health = await deps.storage.inWorkspace(workspaceId, (tx) => loadHealth(tx, accounts, deps.clock.now()));
  return accounts.map((account) => {
    const { score, isHealthy } = health.get(account.id) ?? { score: 0, isHealthy: false };
    return { ...presentAccount(account), health: { score, isHealthy } };
  });
}

function createRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/accounts',
    {
      config: { access: writing },
      schema: {
        tags,
        summary: 'Connect an account',
        description: 'The answer holds the webhook token.',
        body: newAccountSchema,
        response: { 201: madeAccountSchema, ...failures },
      },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const createdBy = access.principal.kind === 'person' ? { createdBy: access.principal.person.id } : {};
      const fields = { provider: request.body.provider, secrets: Object.keys(request.body.secrets) };
      const acts = actingOn(deps, access, { action: 'create', fields });
      const wanted = withInstants(withPhone(request.body));
      const made = await acts.create(access.workspaceId, { ...wanted, ...createdBy });
      if (!made.ok) throw refusal(made.refusal);
      const { account, token, webhookUrl } = made.value;
      return reply.status(201).send({ ...presentAccount(account), token, webhookUrl });
    },
  );
}

function changeRoute(routes: Routes, deps: ApiDeps): void {
  routes.patch(
    '/accounts/:id',
    {
      config: { access: writing },
      schema: {
        tags,
        summary: 'Change an account',
        description: 'Settings and secrets are merged by name; an empty text takes one away.',
        params: idParams,
        body: accountChangeSchema,
        response: { 200: accountSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const fields = { changed: Object.keys(request.body), secrets: Object.keys(request.body.secrets ?? {}) };
      const acts = actingOn(deps, access, { action: 'update', fields });
      const changed = await acts.update(access.workspaceId, id, withInstants(withPhone(request.body)));
      if (!changed.ok) throw refusal(changed.refusal);
      return presentAccount(changed.value);
    },
  );
}

function actRoutes(routes: Routes, deps: ApiDeps): void {
  routes.delete(
    '/accounts/:id',
    {
      config: { access: writing },
      schema: { tags, summary: 'Remove an account', params: idParams, response: { 204: z.null(), ...failures } },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const removed = await actingOn(deps, access, { action: 'remove' }).remove(access.workspaceId, id);
      if (!removed.ok) throw refusal(removed.refusal);
      return reply.status(204).send(null);
    },
  );

  routes.post(
    '/accounts/:id/set-primary',
    {
      config: { access: writing },
      schema: {
        tags,
        summary: 'Make it the primary of its channel',
        params: idParams,
        response: { 200: accountSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const changed = await actingOn(deps, access, { action: 'set-primary' }).setPrimary(access.workspaceId, id);
      if (!changed.ok) throw refusal(changed.refusal);
      return presentAccount(changed.value);
    },
  );
}

type Instants<Body> = Omit<Body, 'secretEnds'> & { readonly secretEnds?: Readonly<Record<string, Date | null>> };

function withInstants<Body extends { readonly secretEnds?: Readonly<Record<string, string | null>> }>(
  body: Body,
): Instants<Body> {
  const { secretEnds, ...rest } = body;
  if (!secretEnds) return rest;
  const dates = Object.entries(secretEnds).map(([name, at]) => [name, at === null ? null : new Date(at)] as const);
  return { ...rest, secretEnds: Object.fromEntries(dates) };
}

/** The number in its one form, however a person typed it. An empty text takes it away. */
function withPhone<Body extends { readonly phoneNumber?: string }>(body: Body): Body {
  if (!body.phoneNumber?.trim()) return body;
  const phoneNumber = parsePhone(body.phoneNumber);
  if (phoneNumber) return { ...body, phoneNumber };
  throw new ProblemError('invalid-request', '/phoneNumber: is not a number with its country code, like +14155550100', {
    errors: [{ path: '/phoneNumber', message: 'is not a number with its country code' }],
  });
}
