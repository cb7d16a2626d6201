import {
  type ApiKeyId,
  type ApiKeyView,
  apiKeySchema,
  madeApiKeySchema,
  newApiKeySchema,
  pageOf,
  pageQuerySchema,
  parseId,
  toPublicId,
} from '@switchyard/contract';
import { z } from 'zod';
import { pageOf as pageOfRows } from '#kernel';
import { type ApiKey, rightsOfScope } from '#workspaces';
import { type Access, mayIn } from '../access.ts';
import { checkCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import type { LiveHub } from '../live-hub.ts';
import { notFound, ProblemError, refusal } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['api-keys'];

export async function apiKeyRoutes(routes: Routes, deps: ApiDeps & { readonly hub: LiveHub }): Promise<void> {
  routes.get(
    '/api-keys',
    {
      config: { access: { resource: 'api-keys', action: 'read' } },
      schema: {
        tags,
        summary: 'Keys, the newest first',
        querystring: pageQuerySchema,
        response: { 200: pageOf(apiKeySchema), ...failures },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const before = checkCursor(cursor, ['uuid'])?.[0] as ApiKeyId | undefined;
      const rows = await deps.workspaces.listApiKeys(accessOf(request).workspaceId, { before, limit: limit + 1 });
      const page = pageOfRows(rows, limit, { item: present, key: ({ id }) => [id] });
      return { data: [...page.data], nextCursor: page.nextCursor };
    },
  );

  routes.post(
    '/api-keys',
    {
      config: { access: { resource: 'api-keys', action: 'write' } },
      schema: {
        tags,
        summary: 'Make a key; its secret is shown once',
        description: 'A key may be given no right that its maker has not.',
        body: newApiKeySchema,
        response: { 201: madeApiKeySchema, ...failures },
      },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const { name, scopes, expiresAt } = request.body;
      checkScopes(access, scopes);
      const made = await deps.workspaces.createApiKey(access.workspaceId, {
        name,
        scopes,
        actor: access.actor,
        ...(expiresAt ? { expiresAt: new Date(expiresAt) } : {}),
        ...(access.principal.kind === 'person' ? { createdBy: access.principal.person.id } : {}),
      });
      if (!made.ok) throw refusal(made.refusal);
      const { key, secret } = made.value;
      return reply.status(201).send({ ...present(key), secret });
    },
  );

  routes.delete(
    '/api-keys/:id',
    {
      config: { access: { resource: 'api-keys', action: 'write' } },
      schema: { tags, summary: 'Revoke a key', params: idParams, response: { 204: z.null(), ...failures } },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const id = parseId('apiKey', request.params.id);
      if (!id || !(await deps.workspaces.revokeApiKey(access.workspaceId, id, access.actor))) throw notFound('key');
      await deps.hub.end(`key ${id}`);
      return reply.status(204).send(null);
    },
  );
}

/** Otherwise whoever may make keys could make themselves a stronger one. */
function checkScopes(access: Access, scopes: readonly string[]): void {
  for (const scope of scopes) {
    const rights = rightsOfScope(scope);
    if (rights === null)
      throw new ProblemError('wrong-scope', `"${scope}" is not a scope: read, write, or RESOURCE:read`);
    const isHeld = rights.every((right) => mayIn(access, right));
    if (!isHeld) throw new ProblemError('forbidden', `a key with the scope ${scope} could do more than its maker`);
  }
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
