import { providerWebhookSchema, triedWebhookSchema, undoWebhookSchema } from '@switchyard/contract';
import { tryWebhook } from '#accounts';
import { auditAccount } from '../audit.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf, type RouteAccess } from '../guard.ts';
import { pathId } from '../ids.ts';
import { presentProviderWebhook } from '../present/provider-webhook.ts';
import { notFound, ProblemError, refusal } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['accounts'];
const reading: RouteAccess = { resource: 'tokens', action: 'read' };
const writing: RouteAccess = { resource: 'tokens', action: 'write' };

/** The webhook as it stands at the provider. Its URLs hold tokens, so each look is written down. */
export async function providerWebhookRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  lookRoute(routes, deps);
  setRoute(routes, deps);
  undoRoute(routes, deps);
  testRoute(routes, deps);
}

function lookRoute(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/accounts/:id/provider-webhook',
    {
      config: { access: reading },
      schema: {
        tags,
        summary: 'Ask the provider which webhook is set there now',
        params: idParams,
        response: { 200: providerWebhookSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const seen = await deps.providerWebhooks.look(access.workspaceId, id);
      if (!seen) throw notFound('account');
      await auditAccount(deps, access, { action: 'find-webhook', id });
      return presentProviderWebhook(seen);
    },
  );
}

function setRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/accounts/:id/set-webhook',
    {
      config: { access: writing },
      schema: {
        tags,
        summary: 'Set our webhook at the provider; what was there is kept for an undo',
        params: idParams,
        response: { 200: providerWebhookSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const outcome = await deps.providerWebhooks.set(access.workspaceId, id, access.actor);
      if (!outcome.ok) throw refusal(outcome.refusal);
      return presentProviderWebhook(outcome.value);
    },
  );
}

function undoRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/accounts/:id/undo-webhook',
    {
      config: { access: writing },
      schema: {
        tags,
        summary: 'Put back at the provider what was there before ours was set',
        description: '409 `webhook-changed` where something else stands there by now, unless `isForced`.',
        params: idParams,
        body: undoWebhookSchema,
        response: { 200: providerWebhookSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const how = { ...request.body, actor: access.actor };
      const outcome = await deps.providerWebhooks.undo(access.workspaceId, id, how);
      if (!outcome.ok) throw refusal(outcome.refusal);
      return presentProviderWebhook(outcome.value);
    },
  );
}

function testRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/accounts/:id/test-webhook',
    {
      config: { access: writing },
      schema: {
        tags,
        summary: 'Send a marked test delivery through the account’s own webhook',
        description: 'Signed as its provider signs, by way of PUBLIC_URL. It carries no message of a customer.',
        params: idParams,
        response: { 200: triedWebhookSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const account = await deps.accounts.findServing(access.workspaceId, id);
      if (!account || account.isDeleted || !account.webhookUrl) throw notFound('account');
      if (deps.publicUrl === undefined) throw new ProblemError('public-url-missing', 'PUBLIC_URL is not set');
      const test = { webhookUrl: account.webhookUrl, calledUrl: deps.publicUrl };
      await auditAccount(deps, access, { action: 'test-webhook', id, fields: { step: 'begun' } });
      const tried = await tryWebhook(account, test, deps.clock.now());
      const end = tried.ok
        ? { step: 'done', status: tried.value.status }
        : { step: 'refused', code: tried.refusal.code };
      await auditAccount(deps, access, { action: 'test-webhook', id, fields: end });
      if (!tried.ok) throw refusal(tried.refusal);
      return tried.value;
    },
  );
}
