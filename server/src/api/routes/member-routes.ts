import {
  memberChangeSchema,
  memberSchema,
  type PersonId,
  pageOf,
  pageQuerySchema,
  toPublicId,
} from '@switchyard/contract';
import { z } from 'zod';
import { pageOf as pageOfRows } from '#kernel';
import type { Member } from '#workspaces';
import { byOf } from '../by.ts';
import { checkCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { pathId } from '../ids.ts';
import type { LiveHub } from '../live-hub.ts';
import { refusal } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['members'];
const writing = { access: { resource: 'members', action: 'write' } } as const;

/** People of the workspace and their roles. Only owners handle owners, and the last one stays. */
export async function memberRoutes(routes: Routes, deps: ApiDeps & { readonly hub: LiveHub }): Promise<void> {
  routes.get(
    '/members',
    {
      config: { access: { resource: 'members', action: 'read' } },
      schema: {
        tags,
        summary: 'People of the workspace, by name',
        querystring: pageQuerySchema,
        response: { 200: pageOf(memberSchema), ...failures },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const [name, id] = checkCursor(cursor, ['text', 'uuid']) ?? [];
      const after = cursor === undefined ? undefined : { name: String(name), id: String(id) as PersonId };
      const rows = await deps.workspaces.listMembers(accessOf(request).workspaceId, { after, limit: limit + 1 });
      const page = pageOfRows(rows, limit, { item: present, key: (member) => [member.name, member.id] });
      return { data: [...page.data], nextCursor: page.nextCursor };
    },
  );

  routes.patch(
    '/members/:id',
    {
      config: writing,
      schema: {
        tags,
        summary: 'Change a role',
        params: idParams,
        body: memberChangeSchema,
        response: { 204: z.null(), ...failures },
      },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const id = pathId('person', request.params.id);
      const changed = await deps.people.members.changeRole(access.workspaceId, id, request.body.role, byOf(access));
      if (!changed.ok) throw refusal(changed.refusal);
      return reply.status(204).send(null);
    },
  );

  routes.delete(
    '/members/:id',
    {
      config: writing,
      schema: { tags, summary: 'Remove a member', params: idParams, response: { 204: z.null(), ...failures } },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const id = pathId('person', request.params.id);
      const removed = await deps.people.members.remove(access.workspaceId, id, byOf(access));
      if (!removed.ok) throw refusal(removed.refusal);
      // Their streams end now; those of other workspaces come back by themselves.
      for (const sessionId of removed.value) await deps.hub.end(`session ${sessionId}`);
      return reply.status(204).send(null);
    },
  );
}

function present({ id, name, email, role }: Member) {
  return { id: toPublicId('person', id), name, email, role };
}
