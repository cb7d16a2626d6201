import {
  acceptanceSchema,
  type InvitationId,
  type InvitationView,
  invitationSchema,
  invitationTokenSchema,
  type MadeInvitation,
  madeInvitationSchema,
  newInvitationSchema,
  nothingSchema,
  pageOf,
  pageQuerySchema,
  shownInvitationSchema,
  toPublicId,
} from '@switchyard/contract';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { pageOf as pageOfRows } from '#kernel';
import { type Invitation, invitationStateOf } from '#workspaces';
import { byOf } from '../by.ts';
import { checkCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { pathId } from '../ids.ts';
import { checkOrigin } from '../origin.ts';
import { notFound, refusal } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['invitations'];

export async function invitationRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  inviteRoutes(routes, deps);
  joinRoutes(routes, deps);
}

/** For who may change the members. */
function inviteRoutes(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/invitations',
    {
      config: { access: { resource: 'members', action: 'read' } },
      schema: {
        tags,
        summary: 'Invitations, the newest first',
        querystring: pageQuerySchema,
        response: { 200: pageOf(invitationSchema), ...failures },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const before = checkCursor(cursor, ['uuid'])?.[0] as InvitationId | undefined;
      const { workspaceId } = accessOf(request);
      const rows = await deps.people.invitations.list(workspaceId, { before, limit: limit + 1 });
      const now = deps.clock.now();
      const page = pageOfRows(rows, limit, { item: (row) => present(row, now), key: ({ id }) => [id] });
      return { data: [...page.data], nextCursor: page.nextCursor };
    },
  );

  routes.post(
    '/invitations',
    {
      config: { access: { resource: 'members', action: 'write' } },
      schema: {
        tags,
        summary: 'Invite somebody; the link is shown once',
        description: 'An earlier open invitation to the same address ends. A key may not invite owners.',
        body: newInvitationSchema,
        response: { 201: madeInvitationSchema, ...failures },
      },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const made = await deps.people.invitations.create(access.workspaceId, request.body, byOf(access));
      if (!made.ok) throw refusal(made.refusal);
      return reply.status(201).send(await handOver(deps, request, made.value));
    },
  );

  routes.post(
    '/invitations/:id/resend',
    {
      config: { access: { resource: 'members', action: 'write' } },
      schema: {
        tags,
        summary: 'Send an invitation again, under a new link that works for its whole time',
        description:
          'The link before ends. One whose time is over opens again; 410 for one that was used or taken back.',
        params: idParams,
        body: nothingSchema,
        response: { 200: madeInvitationSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('invitation', request.params.id);
      const renewed = await deps.people.invitations.renew(access.workspaceId, id, byOf(access));
      if (!renewed.ok) throw refusal(renewed.refusal);
      return handOver(deps, request, renewed.value);
    },
  );

  routes.delete(
    '/invitations/:id',
    {
      config: { access: { resource: 'members', action: 'write' } },
      schema: { tags, summary: 'Take an invitation back', params: idParams, response: { 204: z.null(), ...failures } },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const id = pathId('invitation', request.params.id);
      const isRevoked = await deps.people.invitations.revoke(access.workspaceId, id, byOf(access));
      if (!isRevoked) throw notFound('invitation');
      return reply.status(204).send(null);
    },
  );
}

/** For who holds the link. */
function joinRoutes(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/invitations/look',
    {
      config: { access: 'anyone' },
      schema: {
        tags,
        summary: 'What an invitation is for',
        body: invitationTokenSchema,
        response: { 200: shownInvitationSchema, ...failures },
      },
    },
    async (request) => {
      checkOrigin(request, deps.publicUrl);
      const shown = await deps.people.invitations.look(request.body.token);
      if (!shown.ok) throw refusal(shown.refusal);
      const { invitation, workspace } = shown.value;
      const { email, role, expiresAt } = invitation;
      return { workspaceName: workspace.name, email, role, expiresAt: expiresAt.toISOString() };
    },
  );

  routes.post(
    '/invitations/accept',
    {
      config: { access: 'anyone' },
      schema: {
        tags,
        summary: 'Join a workspace',
        description: 'A new person chooses their password; a known one shows theirs. Then log in.',
        body: acceptanceSchema,
        response: { 204: z.null(), ...failures },
      },
    },
    async (request, reply) => {
      checkOrigin(request, deps.publicUrl);
      const { token, name, password } = request.body;
      const joined = await deps.people.invitations.accept(token, { name, password, ip: request.ip });
      if (!joined.ok) throw refusal(joined.refusal);
      return reply.status(204).send(null);
    },
  );
}

/** Shows the link, and mails it where this server sends mail and knows its own address: a Host header may say anything. */
async function handOver(
  deps: ApiDeps,
  request: FastifyRequest,
  { invitation, token }: { readonly invitation: Invitation; readonly token: string },
): Promise<MadeInvitation> {
  const { workspaceId } = accessOf(request);
  const link = linkOf(request, deps.publicUrl, token);
  const mail = deps.publicUrl ? await deps.people.invitations.mail(workspaceId, invitation, link) : 'off';
  return { ...present(invitation, deps.clock.now()), link, mail };
}

/** After the #, so that the token reaches no server's log and no other site. */
function linkOf(request: FastifyRequest, publicUrl: string | undefined, token: string): string {
  return `${publicUrl ?? `${request.protocol}://${request.host}`}/join#${token}`;
}

function present(invitation: Invitation, now: Date): InvitationView {
  const { id, email, role, createdAt, expiresAt } = invitation;
  return {
    id: toPublicId('invitation', id),
    email,
    role,
    state: invitationStateOf(invitation, now),
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}
