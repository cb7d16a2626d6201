import { pageOf, toPublicId, type WorkspaceView, workspaceSchema } from '@switchyard/contract';
import type { Workspace } from '#workspaces';
import type { ApiDeps } from '../deps.ts';
import { principalOf } from '../guard.ts';
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
