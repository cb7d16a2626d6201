import { memberSchema, pageOf, toPublicId, type WorkspaceView, workspaceSchema } from '@switchyard/contract';
import type { Workspace } from '#workspaces';
import type { ApiDeps } from '../deps.ts';
import { accessOf, principalOf } from '../guard.ts';
import { failures, noQuery, type Routes } from '../schemas.ts';

export async function workspaceRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  routes.get(
    '/workspaces',
    {
      config: { access: 'known' },
      schema: {
        tags: ['workspaces'],
        summary: 'Workspaces of the one who asks',
        querystring: noQuery,
        response: { 200: pageOf(workspaceSchema), ...failures },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      if (principal.kind === 'person')
        return { data: principal.memberships.map(({ workspace }) => present(workspace)), nextCursor: null };
      const own = await deps.workspaces.find(principal.workspaceId);
      return { data: own ? [present(own)] : [], nextCursor: null };
    },
  );

  routes.get(
    '/members',
    {
      config: { access: { resource: 'members', action: 'read' } },
      schema: {
        tags: ['members'],
        summary: 'People of the workspace',
        querystring: noQuery,
        response: { 200: pageOf(memberSchema), ...failures },
      },
    },
    async (request) => {
      const members = await deps.workspaces.listMembers(accessOf(request).workspaceId);
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
