import {
  type ApiKeyView,
  apiKeySchema,
  madeApiKeySchema,
  newApiKeySchema,
  pageOf,
  parseId,
  problemSchema,
  toPublicId,
} from '@switchyard/contract';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiKey } from '#workspaces';
import { accessTo, authenticate } from '../access.ts';
import type { ApiDeps } from '../deps.ts';
import { notFound, refusal } from '../problem.ts';

export async function apiKeyRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const tags = ['api-keys'];

  routes.get(
    '/api-keys',
    { schema: { tags, summary: 'List keys', response: { 200: pageOf(apiKeySchema), '4xx': problemSchema } } },
    async (request) => {
      const { workspaceId } = accessTo(request, await authenticate(request, deps.workspaces), {
        resource: 'api-keys',
        action: 'read',
      });
      return { data: (await deps.workspaces.listApiKeys(workspaceId)).map(present), nextCursor: null };
    },
  );

  routes.post(
    '/api-keys',
    {
      schema: {
        tags,
        summary: 'Make a key; its secret is shown once',
        body: newApiKeySchema,
        response: { 201: madeApiKeySchema, '4xx': problemSchema },
      },
    },
    async (request, reply) => {
      const access = accessTo(request, await authenticate(request, deps.workspaces), {
        resource: 'api-keys',
        action: 'write',
      });
      const { name, scopes, expiresAt } = request.body;
      const createdBy = access.principal.kind === 'person' ? { createdBy: access.principal.person.id } : {};
      const made = await deps.workspaces.createApiKey(access.workspaceId, {
        name,
        scopes,
        ...(expiresAt ? { expiresAt: new Date(expiresAt) } : {}),
        ...createdBy,
      });
      if (!made.ok) throw refusal(made.refusal);
      const { key, secret } = made.value;
      await deps.storage.inWorkspace(access.workspaceId, (tx) =>
        deps.workspaces.audit(tx, {
          actor: access.actor,
          action: 'create',
          resource: `api-key ${key.id}`,
          fields: { name, scopes },
        }),
      );
      return reply.status(201).send({ ...present(key), secret });
    },
  );

  routes.delete(
    '/api-keys/:id',
    {
      schema: {
        tags,
        summary: 'Revoke a key',
        params: z.object({ id: z.string() }),
        response: { 204: z.null(), '4xx': problemSchema },
      },
    },
    async (request, reply) => {
      const access = accessTo(request, await authenticate(request, deps.workspaces), {
        resource: 'api-keys',
        action: 'write',
      });
      const id = parseId('apiKey', request.params.id);
      if (!id || !(await deps.workspaces.revokeApiKey(access.workspaceId, id))) throw notFound('key');
      await deps.storage.inWorkspace(access.workspaceId, (tx) =>
        deps.workspaces.audit(tx, { actor: access.actor, action: 'revoke', resource: `api-key ${id}` }),
      );
      return reply.status(204).send(null);
    },
  );
}

function present(key: ApiKey): ApiKeyView {
  return {
    id: toPublicId('apiKey', key.id),
    name: key.name,
    lastFour: key.lastFour,
    scopes: [...key.scopes],
    createdAt: key.createdAt.toISOString(),
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
    expiresAt: key.expiresAt?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
  };
}
