import {
  memberSchema,
  pageOf,
  problemSchema,
  toPublicId,
  type WorkspaceView,
  workspaceSchema,
} from '@switchyard/contract';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Workspace } from '#workspaces';
import { accessTo, authenticate } from '../access.ts';
import type { ApiDeps } from '../deps.ts';

export async function workspaceRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.get(
    '/workspaces',
    {
      schema: {
        tags: ['workspaces'],
        summary: 'Workspaces of the one who asks',
        response: { 200: pageOf(workspaceSchema), '4xx': problemSchema },
      },
    },
    async (request) => {
      const principal = await authenticate(request, deps.workspaces);
      if (principal.kind === 'person')
        return { data: principal.memberships.map(({ workspace }) => present(workspace)), nextCursor: null };
      const own = await deps.workspaces.find(principal.workspaceId);
      return { data: own ? [present(own)] : [], nextCursor: null };
    },
  );

  routes.get(
    '/members',
    {
      schema: {
        tags: ['members'],
        summary: 'People of the workspace',
        response: { 200: pageOf(memberSchema), '4xx': problemSchema },
      },
    },
    async (request) => {
      const principal = await authenticate(request, deps.workspaces);
      const { workspaceId } = accessTo(request, principal, { resource: 'members', action: 'read' });
      const members = await deps.workspaces.listMembers(workspaceId);
      return {
        data: members.map(({ id, name, email, role }) => ({ id: toPublicId('person', id), name, email, role })),
        nextCursor: null,
      };
    },
  );
}

function present(workspace: Workspace): WorkspaceView {
  return {
    id: toPublicId('workspace', workspace.id),
    name: workspace.name,
    slug: workspace.slug,
    kind: workspace.kind,
    createdAt: workspace.createdAt.toISOString(),
  };
}
