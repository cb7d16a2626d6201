import { flowSchema, pageOf, toPublicId } from '@switchyard/contract';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { failures, noQuery, type Routes } from '../schemas.ts';

export async function flowRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  routes.get(
    '/flows',
    {
      config: { access: { resource: 'flows', action: 'read' } },
      schema: {
        tags: ['flows'],
        summary: 'Flows of the workspace, newest first',
        description: 'Where none is active, the bot follows the built-in demo flow.',
        querystring: noQuery,
        response: { 200: pageOf(flowSchema), ...failures },
      },
    },
    async (request) => {
      const flows = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) => deps.flows.listFlows(tx));
      return {
        data: flows.map((flow) => ({
          ...flow,
          id: toPublicId('flow', flow.id),
          createdAt: flow.createdAt.toISOString(),
        })),
        nextCursor: null,
      };
    },
  );
}
