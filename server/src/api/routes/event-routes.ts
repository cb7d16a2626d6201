import { problemSchema } from '@switchyard/contract';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { accessTo, authenticate } from '../access.ts';
import type { ApiDeps } from '../deps.ts';
import { createLiveHub } from '../live-hub.ts';

/** Server-sent events: which resource of the workspace to look at again. */
export async function eventRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  const hub = await createLiveHub(deps);
  app.addHook('preClose', () => hub.close());
  app.withTypeProvider<ZodTypeProvider>().get(
    '/events',
    {
      schema: {
        tags: ['events'],
        summary: 'What changed, as server-sent events',
        description: 'Each event is `{topic, id}`; after `reset` everything shown should be read anew.',
        querystring: z.object({ workspace: z.string().optional() }),
        response: { '4xx': problemSchema },
      },
    },
    async (request, reply) => {
      const { workspaceId } = accessTo(request, await authenticate(request, deps.workspaces), {
        resource: 'conversations',
        action: 'read',
      });
      reply.hijack();
      hub.open(workspaceId, reply.raw, request.headers['last-event-id'] !== undefined);
    },
  );
}
