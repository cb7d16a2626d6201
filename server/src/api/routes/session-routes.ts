import {
  loggedInSchema,
  logInCodeSchema,
  loginSchema,
  type Me,
  meSchema,
  stepUpSchema,
  toPublicId,
} from '@switchyard/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { LoginOutcome, Place, Principal } from '#workspaces';
import { loopbackCookie, sessionCookie, sessionToken } from '../access.ts';
import type { ApiDeps } from '../deps.ts';
import { personOf, principalOf } from '../guard.ts';
import { holderOf, type LiveHub } from '../live-hub.ts';
import { checkOrigin, transportOf } from '../origin.ts';
import { ProblemError, refusal } from '../problem.ts';
import { failures, type Routes } from '../schemas.ts';

const tags = ['session'];

/** Log-in, log-out, who am I. */
export async function sessionRoutes(routes: Routes, deps: ApiDeps & { readonly hub: LiveHub }): Promise<void> {
  routes.post(
    '/session',
    {
      config: { access: 'anyone' },
      schema: {
        tags,
        summary: 'Log in',
        description: 'Who has a second factor gets a step token, to be shown with a code at `/session/code`.',
        body: loginSchema,
        response: { 200: loggedInSchema, ...failures },
      },
    },
    async (request, reply) => {
      checkOrigin(request, deps.publicUrl);
      const cookie = cookieFor(request);
      const outcome = await logIn(deps, request, request.body);
      if (outcome.kind === 'in') return begin(deps, reply, cookie, outcome);
      return { step: 'code' as const, stepToken: outcome.stepToken, expiresAt: outcome.expiresAt.toISOString() };
    },
  );

  routes.post(
    '/session/code',
    {
      config: { access: 'anyone' },
      schema: {
        tags,
        summary: 'The second step of a log-in',
        description: 'A code of the authenticator app, or a recovery code, each of which is good once.',
        body: logInCodeSchema,
        response: { 200: meSchema, ...failures },
      },
    },
    async (request, reply) => {
      checkOrigin(request, deps.publicUrl);
      const cookie = cookieFor(request);
      const { stepToken, code } = request.body;
      const outcome = await deps.people.logInByCode(stepToken, code, placeOf(request));
      if (!outcome.ok) throw refusal(outcome.refusal);
      return begin(deps, reply, cookie, outcome.value);
    },
  );

  routes.post(
    '/session/step-up',
    {
      config: { access: 'person' },
      schema: {
        tags,
        summary: 'Show again who one is: opens dangerous acts for 10 minutes',
        body: stepUpSchema,
        response: { 204: z.null(), ...failures },
      },
    },
    async (request, reply) => {
      const { person, sessionId } = personOf(request);
      const { password = '', code } = request.body;
      const proof = code === undefined ? { password } : { code };
      const shown = await deps.people.stepUp(person, sessionId, { ...proof, ip: request.ip });
      if (!shown.ok) throw refusal(shown.refusal);
      return reply.status(204).send(null);
    },
  );

  routes.delete(
    '/session',
    { config: { access: 'anyone' }, schema: { tags, summary: 'Log out', response: { 204: z.null(), ...failures } } },
    async (request, reply) => {
      checkOrigin(request, deps.publicUrl);
      const token = sessionToken(request);
      const principal = token ? await deps.workspaces.findBySession(token) : null;
      if (token) await deps.workspaces.logOut(token);
      if (principal) await deps.hub.end(holderOf(principal));
      return clearCookies(reply).status(204).send(null);
    },
  );

  routes.get(
    '/me',
    { config: { access: 'known' }, schema: { tags, summary: 'Who asks', response: { 200: meSchema, ...failures } } },
    async (request) => presentMe(principalOf(request)),
  );
}

async function logIn(
  deps: ApiDeps,
  request: FastifyRequest,
  given: z.infer<typeof loginSchema>,
): Promise<Extract<LoginOutcome, { kind: 'in' | 'code-needed' }>> {
  const outcome = await deps.workspaces.logIn(given.email, given.password, placeOf(request));
  if (outcome.kind === 'wrong') throw new ProblemError('wrong-credentials', 'the address or the password is wrong');
  if (outcome.kind === 'slow-down') {
    const { retryAfterSeconds } = outcome;
    throw new ProblemError('slow-down', 'too many tries; wait a little', { retryAfterSeconds });
  }
  return outcome;
}

function placeOf(request: FastifyRequest): Place {
  return { userAgent: request.headers['user-agent']?.slice(0, 500) ?? null, ip: request.ip };
}

/** The new session's cookie, and who its person is. */
async function begin(
  deps: ApiDeps,
  reply: FastifyReply,
  cookie: ReturnType<typeof cookieFor>,
  { token, expiresAt }: Extract<LoginOutcome, { kind: 'in' }>,
): Promise<Me> {
  reply.setCookie(cookie.name, token, { ...cookie.options, expires: expiresAt });
  const principal = await deps.workspaces.findBySession(token);
  if (!principal) throw new ProblemError('unauthenticated', 'the session ended at once');
  return presentMe(principal);
}

/** Over plain http a session would cross the net in the clear: only loopback may. */
function cookieFor(request: FastifyRequest) {
  const options = { path: '/', httpOnly: true, sameSite: 'lax' } as const;
  const transport = transportOf(request);
  if (transport === 'secure') return { name: sessionCookie, options: { ...options, secure: true } };
  if (transport === 'loopback') return { name: loopbackCookie, options: { ...options, secure: false } };
  throw new ProblemError(
    'https-needed',
    'log-in needs https: serve this behind TLS and set PUBLIC_URL and TRUST_PROXY=1',
  );
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
      timeZone: workspace.timeZone,
      language: workspace.language,
      role,
    })),
  };
}
