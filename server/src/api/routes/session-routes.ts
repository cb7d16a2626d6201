import { loginSchema, type Me, meSchema, problemSchema, toPublicId } from '@switchyard/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Principal } from '#workspaces';
import { authenticate, checkOrigin, loopbackCookie, sessionCookie } from '../access.ts';
import type { ApiDeps } from '../deps.ts';
import { ProblemError } from '../problem.ts';

/** Log-in, log-out, who am I. */
export async function sessionRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const tags = ['session'];

  routes.post(
    '/session',
    { schema: { tags, summary: 'Log in', body: loginSchema, response: { 200: meSchema, '4xx': problemSchema } } },
    async (request, reply) => {
      checkOrigin(request);
      const cookie = cookieFor(request);
      const from = { userAgent: request.headers['user-agent'] ?? null, ip: request.ip };
      const outcome = await deps.workspaces.logIn(request.body.email, request.body.password, from);
      if (outcome.kind === 'wrong') throw new ProblemError('wrong-credentials', 'the address or the password is wrong');
      if (outcome.kind === 'slow-down') {
        throw new ProblemError('slow-down', 'too many tries; wait a little', {
          retryAfterSeconds: outcome.retryAfterSeconds,
        });
      }
      reply.setCookie(cookie.name, outcome.token, { ...cookie.options, expires: outcome.expiresAt });
      const principal = await deps.workspaces.findBySession(outcome.token);
      if (!principal) throw new ProblemError('unauthenticated', 'the session ended at once');
      return presentMe(principal);
    },
  );

  routes.delete(
    '/session',
    { schema: { tags, summary: 'Log out', response: { 204: z.null(), '4xx': problemSchema } } },
    async (request, reply) => {
      checkOrigin(request);
      const token = request.cookies[sessionCookie] ?? request.cookies[loopbackCookie];
      if (token) await deps.workspaces.logOut(token);
      return clearCookies(reply).status(204).send(null);
    },
  );

  routes.get(
    '/me',
    { schema: { tags, summary: 'Who asks', response: { 200: meSchema, '4xx': problemSchema } } },
    async (request) => presentMe(await authenticate(request, deps.workspaces)),
  );
}

/** Over plain http a session would cross the net in the clear: only loopback may. */
function cookieFor(request: FastifyRequest) {
  const options = { path: '/', httpOnly: true, sameSite: 'lax' } as const;
  if (request.protocol === 'https') return { name: sessionCookie, options: { ...options, secure: true } };
  const isLoopback = ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(request.socket.remoteAddress ?? '');
  if (isLoopback) return { name: loopbackCookie, options: { ...options, secure: false } };
  throw new ProblemError('forbidden', 'log-in needs https: serve this behind TLS and set PUBLIC_URL and TRUST_PROXY=1');
}

function clearCookies(reply: FastifyReply): FastifyReply {
  return reply.clearCookie(sessionCookie, { path: '/', secure: true }).clearCookie(loopbackCookie, { path: '/' });
}

function presentMe(principal: Principal): Me {
  if (principal.kind === 'key') return { person: null, workspaces: [] };
  const { person, memberships } = principal;
  return {
    person: { ...person, id: toPublicId('person', person.id) },
    workspaces: memberships.map(({ workspace, role }) => ({
      id: toPublicId('workspace', workspace.id),
      name: workspace.name,
      slug: workspace.slug,
      role,
    })),
  };
}
