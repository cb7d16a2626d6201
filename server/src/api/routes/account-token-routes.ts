import { accountTokenSchema, accountWebhookSchema, tokenChoiceSchema } from '@switchyard/contract';
import { z } from 'zod';
import type { TokenListing } from '#accounts';
import { actingOn, auditAccount } from '../audit.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf, type RouteAccess } from '../guard.ts';
import { pathId } from '../ids.ts';
import { notFound, refusal } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['accounts'];
const reading: RouteAccess = { resource: 'tokens', action: 'read' };
const writing: RouteAccess = { resource: 'tokens', action: 'write' };

/** Webhook tokens: only for those who may see them, and each look is written down. */
export async function accountTokenRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  rotationRoutes(routes, deps);
  showRoute(routes, deps);
}

function rotationRoutes(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/accounts/:id/rotate-token',
    {
      config: { access: writing },
      schema: {
        tags,
        summary: 'Make a new webhook token; the old one works for 8 more days',
        description: 'Refused with 409 `rotation-open` while the old token of an earlier rotation is still valid.',
        params: idParams,
        response: { 200: accountTokenSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const rotated = await actingOn(deps, access, { action: 'rotate-token' }).rotateToken(access.workspaceId, id);
      if (!rotated.ok) throw refusal(rotated.refusal);
      return rotated.value;
    },
  );

  routes.post(
    '/accounts/:id/retire-token',
    {
      config: { access: writing },
      schema: {
        tags,
        summary: 'End a replaced webhook token now',
        description: 'The token in use is refused with 409 `token-current`.',
        params: idParams,
        body: tokenChoiceSchema,
        response: { 204: z.null(), ...failures },
      },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const { tokenId } = request.body;
      const acts = actingOn(deps, access, { action: 'retire-token', fields: { tokenId } });
      const retired = await acts.retireToken(access.workspaceId, id, tokenId);
      if (!retired.ok) throw refusal(retired.refusal);
      return reply.status(204).send(null);
    },
  );

  routes.post(
    '/accounts/:id/undo-rotation',
    {
      config: { access: writing },
      schema: {
        tags,
        summary: 'Make the token before the last rotation the one in use again',
        description: 'The token that had replaced it works for 8 more days. 409 `nothing-to-undo` after the overlap.',
        params: idParams,
        response: { 200: accountTokenSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const undone = await actingOn(deps, access, { action: 'undo-rotation' }).undoRotation(access.workspaceId, id);
      if (!undone.ok) throw refusal(undone.refusal);
      return undone.value;
    },
  );
}

function showRoute(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/accounts/:id/webhook',
    {
      config: { access: reading },
      schema: {
        tags,
        summary: 'The webhook URLs of an account; they hold its tokens',
        params: idParams,
        response: { 200: accountWebhookSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const listed = await deps.accounts.listTokens(access.workspaceId);
      const tokens = listed.filter((listing) => listing.account.id === id);
      if (tokens.length === 0) throw notFound('account');
      await auditAccount(deps, access, { action: 'show-token', id });
      return {
        tokens: tokens.map(presentToken),
        oldUrlHitAt: tokens[0]?.oldUrlHitAt?.toISOString() ?? null,
      };
    },
  );
}

function presentToken(token: TokenListing) {
  return {
    id: token.tokenId,
    webhookUrl: token.webhookUrl,
    createdAt: token.createdAt.toISOString(),
    retiresAt: token.retiresAt?.toISOString() ?? null,
    replacedAt: token.replacedAt?.toISOString() ?? null,
    lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
    isQuiet: token.isQuiet,
  };
}
