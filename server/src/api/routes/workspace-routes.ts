import {
  newWorkspaceSchema,
  pageOf,
  toPublicId,
  type WorkspaceView,
  workspaceChangeSchema,
  workspaceSchema,
} from '@switchyard/contract';
import type { Workspace } from '#workspaces';
import type { ApiDeps } from '../deps.ts';
import { accessOf, personOf, principalOf } from '../guard.ts';
import { notFound, refusal } from '../problem.ts';
import { failures, noQuery, type Routes } from '../schemas.ts';

const tags = ['workspaces'];

export async function workspaceRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  listRoute(routes, deps);
  createRoute(routes, deps);
  ownRoutes(routes, deps);
}

function listRoute(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/workspaces',
    {
      config: { access: 'known' },
      schema: {
        tags,
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

function createRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/workspaces',
    {
      config: { access: 'person' },
      schema: {
        tags,
        summary: 'Make a workspace, and be its owner',
        description: 'For who owns one already, and for the operator. 403 `forbidden`, 409 `too-many-workspaces`.',
        body: newWorkspaceSchema,
        response: { 201: workspaceSchema, ...failures },
      },
    },
    async (request, reply) => {
      const made = await deps.workspaces.createOwn(request.body.name, personOf(request));
      if (!made.ok) throw refusal(made.refusal);
      return reply.status(201).send(present(made.value));
    },
  );
}

/** The one that the header names, or that the key belongs to. */
function ownRoutes(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/workspace',
    {
      config: { access: { resource: 'workspace', action: 'read' } },
      schema: { tags, summary: 'The workspace', querystring: noQuery, response: { 200: workspaceSchema, ...failures } },
    },
    async (request) => {
      const own = await deps.workspaces.find(accessOf(request).workspaceId);
      if (!own) throw notFound('workspace');
      return present(own);
    },
  );

  routes.patch(
    '/workspace',
    {
      config: { access: { resource: 'workspace', action: 'write' } },
      schema: {
        tags,
        summary: 'Change its name, its time zone or its language',
        description:
          'What is left out stays. Statistics, quotas and quiet hours count the days of the time zone; mails are written in the language.',
        body: workspaceChangeSchema,
        response: { 200: workspaceSchema, ...failures },
      },
    },
    async (request) => {
      const { workspaceId, actor } = accessOf(request);
      const changed = await deps.workspaces.update(workspaceId, request.body, actor);
      if (!changed.ok) throw refusal(changed.refusal);
      // Customers are told the name, and the walks know it by the account.
      await deps.accounts.forgetWorkspace(workspaceId);
      return present(changed.value);
    },
  );
}

function present(workspace: Workspace): WorkspaceView {
  return {
    id: toPublicId('workspace', workspace.id),
    name: workspace.name,
    slug: workspace.slug,
    kind: workspace.kind,
    timeZone: workspace.timeZone,
    language: workspace.language,
    createdAt: workspace.createdAt.toISOString(),
  };
}
