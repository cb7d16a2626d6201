import { endedSessionsSchema, pageOf, type SessionView, sessionSchema, toPublicId } from '@switchyard/contract';
import { z } from 'zod';
import type { SessionFacts } from '#workspaces';
import type { ApiDeps } from '../deps.ts';
import { personOf } from '../guard.ts';
import { pathId } from '../ids.ts';
import type { LiveHub } from '../live-hub.ts';
import { notFound } from '../problem.ts';
import { failures, idParams, noQuery, type Routes } from '../schemas.ts';

const tags = ['session'];

/** One's own sessions: each browser in which one is logged in. What is ended is refused from the next request on. */
export async function ownSessionRoutes(routes: Routes, deps: ApiDeps & { readonly hub: LiveHub }): Promise<void> {
  routes.get(
    '/sessions',
    {
      config: { access: 'person' },
      schema: {
        tags,
        summary: 'Where one is logged in, the last seen first',
        querystring: noQuery,
        response: { 200: pageOf(sessionSchema), ...failures },
      },
    },
    async (request) => {
      const { person, sessionId } = personOf(request);
      const sessions = await deps.people.listSessions(person.id);
      return { data: sessions.map((session) => present(session, session.id === sessionId)), nextCursor: null };
    },
  );

  routes.delete(
    '/sessions/:id',
    {
      config: { access: 'person' },
      schema: { tags, summary: 'End one session', params: idParams, response: { 204: z.null(), ...failures } },
    },
    async (request, reply) => {
      const id = pathId('session', request.params.id);
      if (!(await deps.people.revokeSession(personOf(request).person.id, id))) throw notFound('session');
      await deps.hub.end(`session ${id}`);
      return reply.status(204).send(null);
    },
  );

  routes.delete(
    '/sessions',
    {
      config: { access: 'person' },
      schema: { tags, summary: 'End all sessions but this one', response: { 200: endedSessionsSchema, ...failures } },
    },
    async (request) => {
      const { person, sessionId } = personOf(request);
      const ended = await deps.people.revokeOthers(person.id, sessionId);
      for (const id of ended) await deps.hub.end(`session ${id}`);
      return { ended: ended.length };
    },
  );
}

function present(session: SessionFacts, isThis: boolean): SessionView {
  const { id, userAgent, ip, createdAt, lastSeenAt, expiresAt } = session;
  return {
    id: toPublicId('session', id),
    isThis,
    userAgent,
    ip,
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}
