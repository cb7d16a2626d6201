import {
  type AccountId,
  type AccountView,
  accountChangeSchema,
  accountSchema,
  accountTokenSchema,
  accountWebhookSchema,
  madeAccountSchema,
  newAccountSchema,
  pageOf,
  parseId,
  problemSchema,
  toPublicId,
} from '@switchyard/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { AccountSummary } from '#accounts';
import type { Action, Resource } from '#workspaces';
import { type Access, accessTo, authenticate } from '../access.ts';
import { definedOnly } from '../defined-only.ts';
import type { ApiDeps } from '../deps.ts';
import { notFound, refusal } from '../problem.ts';

const params = z.object({ id: z.string() });

export async function accountRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const tags = ['accounts'];
  const may = async (request: FastifyRequest, action: Action, resource: Resource = 'accounts') =>
    accessTo(request, await authenticate(request, deps.workspaces), { resource, action });
  const audit = (access: Access, action: string, id: AccountId, fields: Record<string, unknown> = {}) =>
    deps.storage.inWorkspace(access.workspaceId, (tx) =>
      deps.workspaces.audit(tx, { actor: access.actor, action, resource: `account ${id}`, fields }),
    );

  routes.get(
    '/accounts',
    {
      schema: {
        tags,
        summary: 'List accounts: primary first, then newest',
        response: { 200: pageOf(accountSchema), '4xx': problemSchema },
      },
    },
    async (request) => {
      const { workspaceId } = await may(request, 'read');
      return { data: (await deps.accounts.list(workspaceId)).map(present), nextCursor: null };
    },
  );

  routes.post(
    '/accounts',
    {
      schema: {
        tags,
        summary: 'Connect an account',
        description: 'The answer holds the webhook token.',
        body: newAccountSchema,
        response: { 201: madeAccountSchema, '4xx': problemSchema },
      },
    },
    async (request, reply) => {
      const access = await may(request, 'write');
      const made = await deps.accounts.create(access.workspaceId, definedOnly(request.body));
      if (!made.ok) throw refusal(made.refusal);
      const { account, token, webhookUrl } = made.value;
      await audit(access, 'create', account.id, {
        provider: account.provider,
        secrets: Object.keys(request.body.secrets),
      });
      return reply.status(201).send({ ...present(account), token, webhookUrl });
    },
  );

  routes.get(
    '/accounts/:id',
    { schema: { tags, summary: 'One account', params, response: { 200: accountSchema, '4xx': problemSchema } } },
    async (request) => {
      const { workspaceId } = await may(request, 'read');
      const account = await deps.accounts.find(workspaceId, idOf(request.params.id));
      if (!account) throw notFound('account');
      return present(account);
    },
  );

  routes.patch(
    '/accounts/:id',
    {
      schema: {
        tags,
        summary: 'Change an account',
        params,
        body: accountChangeSchema,
        response: { 200: accountSchema, '4xx': problemSchema },
      },
    },
    async (request) => {
      const access = await may(request, 'write');
      const id = idOf(request.params.id);
      const changed = await deps.accounts.update(access.workspaceId, id, definedOnly(request.body));
      if (!changed.ok) throw refusal(changed.refusal);
      await audit(access, 'update', id, {
        changed: Object.keys(request.body),
        secrets: Object.keys(request.body.secrets ?? {}),
      });
      return present(changed.value);
    },
  );

  routes.delete(
    '/accounts/:id',
    { schema: { tags, summary: 'Remove an account', params, response: { 204: z.null(), '4xx': problemSchema } } },
    async (request, reply) => {
      const access = await may(request, 'write');
      const id = idOf(request.params.id);
      const removed = await deps.accounts.remove(access.workspaceId, id);
      if (!removed.ok) throw refusal(removed.refusal);
      await audit(access, 'remove', id);
      return reply.status(204).send(null);
    },
  );

  routes.post(
    '/accounts/:id/set-primary',
    {
      schema: {
        tags,
        summary: 'Make it the primary of its channel',
        params,
        response: { 200: accountSchema, '4xx': problemSchema },
      },
    },
    async (request) => {
      const access = await may(request, 'write');
      const id = idOf(request.params.id);
      const changed = await deps.accounts.setPrimary(access.workspaceId, id);
      if (!changed.ok) throw refusal(changed.refusal);
      await audit(access, 'set-primary', id);
      return present(changed.value);
    },
  );

  routes.post(
    '/accounts/:id/rotate-token',
    {
      schema: {
        tags,
        summary: 'Make a new webhook token; the old one works for 8 more days',
        params,
        response: { 200: accountTokenSchema, '4xx': problemSchema },
      },
    },
    async (request) => {
      const access = await may(request, 'write', 'tokens');
      const id = idOf(request.params.id);
      const rotated = await deps.accounts.rotateToken(access.workspaceId, id);
      if (!rotated.ok) throw refusal(rotated.refusal);
      await audit(access, 'rotate-token', id);
      return rotated.value;
    },
  );

  routes.get(
    '/accounts/:id/webhook',
    {
      schema: {
        tags,
        summary: 'The webhook URLs of an account; they hold its tokens',
        params,
        response: { 200: accountWebhookSchema, '4xx': problemSchema },
      },
    },
    async (request) => {
      const access = await may(request, 'read', 'tokens');
      const id = idOf(request.params.id);
      const tokens = (await deps.accounts.listTokens(access.workspaceId)).filter(
        (listing) => listing.account.id === id,
      );
      if (tokens.length === 0) throw notFound('account');
      await audit(access, 'show-token', id);
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

/** A wrong id is answered like a missing one. */
function idOf(text: string): AccountId {
  const id = parseId('account', text);
  if (!id) throw notFound('account');
  return id;
}

function present(account: AccountSummary): AccountView {
  return {
    id: toPublicId('account', account.id),
    provider: account.provider,
    channel: account.channel,
    name: account.name,
    phoneNumber: account.phoneNumber,
    status: account.connectionStatus,
    statusDetail: account.connectionError,
    webhookStatus: account.webhookStatus,
    isPrimary: account.isPrimary,
    isActive: account.isActive,
    settings: { ...account.settings },
    heldSecrets: [...account.heldSecrets],
    lastActivityAt: account.lastActivityAt?.toISOString() ?? null,
    lastWebhookAt: account.lastWebhookAt?.toISOString() ?? null,
    createdAt: account.createdAt.toISOString(),
  };
}
