import { accountTokenSchema, accountWebhookSchema } from '@switchyard/contract';
import { actingOn, auditAccount } from '../audit.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { pathId } from '../ids.ts';
import { notFound, refusal } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['accounts'];

/** Webhook tokens: only for those who may see them, and each look is written down. */
export async function accountTokenRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  routes.post(
    '/accounts/:id/rotate-token',
    {
      config: { access: { resource: 'tokens', action: 'write' } },
      schema: {
        tags,
        summary: 'Make a new webhook token; the old one works for 8 more days',
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

  routes.get(
    '/accounts/:id/webhook',
    {
      config: { access: { resource: 'tokens', action: 'read' } },
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
        tokens: tokens.map((token) => ({
          webhookUrl: token.webhookUrl,
          createdAt: token.createdAt.toISOString(),
          retiresAt: token.retiresAt?.toISOString() ?? null,
          lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
        })),
      };
    },
  );
}
