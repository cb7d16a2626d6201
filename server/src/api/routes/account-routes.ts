import {
  accountChangeSchema,
  accountSchema,
  madeAccountSchema,
  newAccountSchema,
  pageOf,
  parsePhone,
} from '@switchyard/contract';
import { z } from 'zod';
import { actingOn } from '../audit.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf, type RouteAccess } from '../guard.ts';
import { pathId } from '../ids.ts';
import { presentAccount } from '../present/account.ts';
import { notFound, ProblemError, refusal } from '../problem.ts';
import { failures, idParams, noQuery, type Routes } from '../schemas.ts';

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
      config: { access: reading },
      schema: {
        tags,
        summary: 'List accounts: primary first, then newest',
        querystring: noQuery,
        response: { 200: pageOf(accountSchema), ...failures },
      },
    },
    async (request) => {
      const accounts = await deps.accounts.list(accessOf(request).workspaceId);
      return { data: accounts.map(presentAccount), nextCursor: null };
    },
  );

  routes.get(
    '/accounts/:id',
    {
      config: { access: reading },
      schema: { tags, summary: 'One account', params: idParams, response: { 200: accountSchema, ...failures } },
    },
    async (request) => {
      const account = await deps.accounts.find(accessOf(request).workspaceId, pathId('account', request.params.id));
      if (!account) throw notFound('account');
      return presentAccount(account);
    },
  );
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
      const made = await acts.create(access.workspaceId, { ...withPhone(request.body), ...createdBy });
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
      const changed = await acts.update(access.workspaceId, id, withPhone(request.body));
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

/** The number in its one form, however a person typed it. An empty text takes it away. */
function withPhone<Body extends { readonly phoneNumber?: string }>(body: Body): Body {
  if (!body.phoneNumber?.trim()) return body;
  const phoneNumber = parsePhone(body.phoneNumber);
  if (phoneNumber) return { ...body, phoneNumber };
  throw new ProblemError('invalid-request', '/phoneNumber: is not a number with its country code, like +14155550100', {
    errors: [{ path: '/phoneNumber', message: 'is not a number with its country code' }],
  });
}
