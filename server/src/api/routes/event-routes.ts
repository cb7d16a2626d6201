import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type LiveTopic, liveTopics } from '#storage';
import type { Resource } from '#workspaces';
import { type Access, accessTo, authenticate, mayIn } from '../access.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { holderOf, type LiveHub } from '../live-hub.ts';
import { ProblemError } from '../problem.ts';
import { failures, type Routes } from '../schemas.ts';

const resourceOf = {
  delivery: 'deliveries',
  conversation: 'conversations',
  message: 'messages',
  account: 'accounts',
  incident: 'monitoring',
} as const satisfies Record<LiveTopic, Resource>;

/** Server-sent events: which resource of the workspace to look at again. */
export async function eventRoutes(routes: Routes, deps: ApiDeps & { readonly hub: LiveHub }): Promise<void> {
  routes.get(
    '/events',
    {
      config: { access: 'member' },
      schema: {
        tags: ['events'],
        summary: 'What changed, as server-sent events',
        description:
          'Each `change` is `{topic, id}`; an id `*` stands for many. After `reset` everything shown should be read anew.',
        querystring: z.strictObject({ workspace: z.string().max(100).exactOptional() }),
        response: { 200: z.string().describe('text/event-stream'), ...failures },
      },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const topics = topicsOf(access);
      if (topics.size === 0) throw new ProblemError('forbidden', 'this needs the right to read something that changes');
      const viewer = {
        workspaceId: access.workspaceId,
        holder: holderOf(access.principal),
        topics: () => topicsNow(request, deps),
      };
      deps.hub.open(viewer, topics, {
        isReturning: request.headers['last-event-id'] !== undefined,
        take: () => {
          reply.hijack();
          return reply.raw;
        },
      });
      return reply;
    },
  );
}

function topicsOf(access: Access): ReadonlySet<LiveTopic> {
  return new Set(liveTopics.filter((topic) => mayIn(access, { resource: resourceOf[topic], action: 'read' })));
}

/** The same question as at the opening, asked again with what the request showed. */
async function topicsNow(request: FastifyRequest, deps: ApiDeps): Promise<ReadonlySet<LiveTopic> | null> {
  try {
    const topics = topicsOf(accessTo(request, await authenticate(request, deps.workspaces, deps.publicUrl)));
    return topics.size > 0 ? topics : null;
  } catch (error) {
    if (error instanceof ProblemError) return null;
    throw error;
  }
}
