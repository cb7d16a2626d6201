import { accountSchema, connectionWishSchema, madeAccountSchema, nothingSchema } from '@switchyard/contract';
import type { ConnectionAct } from '#accounts';
import { actingOn } from '../audit.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf, type RouteAccess } from '../guard.ts';
import { pathId } from '../ids.ts';
import { presentAccount } from '../present/account.ts';
import { refusal } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['accounts'];
const writing: RouteAccess = { resource: 'accounts', action: 'write' };

const acts = [
  { path: 'disconnect', act: 'disconnect', summary: 'Disconnect an account' },
  { path: 'reconnect', act: 'connect', summary: 'Connect an account again' },
] as const satisfies readonly { readonly path: string; readonly act: ConnectionAct; readonly summary: string }[];

/** What people ask of an account's connection, and the way back of a removed one. */
export async function accountLifeRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  for (const act of acts) connectionRoute(routes, deps, act);
  restoreRoute(routes, deps);
}

function connectionRoute(routes: Routes, deps: ApiDeps, { path, act, summary }: (typeof acts)[number]): void {
  routes.post(
    `/accounts/:id/${path}`,
    {
      config: { access: writing },
      schema: {
        tags,
        summary,
        description: 'Where its state forbids that, the answer is 409 with the `state`.',
        params: idParams,
        body: connectionWishSchema,
        response: { 200: accountSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const { reason } = request.body;
      const wish = { act, actor: access.actor, ...(reason === undefined ? {} : { reason }) };
      const moved = await actingOn(deps, access, { action: path }).moveConnection(access.workspaceId, id, wish);
      if (!moved.ok) throw refusal(moved.refusal);
      await deps.pairing.follow(access.workspaceId, id, act, access.actor);
      return presentAccount((await deps.accounts.find(access.workspaceId, id)) ?? moved.value);
    },
  );
}

function restoreRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/accounts/:id/restore',
    {
      config: { access: writing },
      schema: {
        tags,
        summary: 'Restore a removed account',
        description: 'It comes back disconnected and inactive. The answer holds its new webhook token.',
        params: idParams,
        body: nothingSchema,
        response: { 200: madeAccountSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const restored = await actingOn(deps, access, { action: 'restore' }).restore(access.workspaceId, id);
      if (!restored.ok) throw refusal(restored.refusal);
      const { account, token, webhookUrl } = restored.value;
      return { ...presentAccount(account), token, webhookUrl };
    },
  );
}
