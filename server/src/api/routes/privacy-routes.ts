import {
  contactExportSchema,
  erasureRequestSchema,
  erasureSchema,
  pageOf,
  pageQuerySchema,
  retentionChangeSchema,
  retentionQuerySchema,
  retentionSchema,
} from '@switchyard/contract';
import { checkCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { pathId } from '../ids.ts';
import { presentErasure, presentRetention } from '../present/upkeep.ts';
import { notFound, ProblemError } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['privacy'];

export async function privacyRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  contactRoutes(routes, deps);
  receiptRoutes(routes, deps);
  retentionRoutes(routes, deps);
}

function contactRoutes(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/contacts/:id/export',
    {
      config: { isHeavy: true, access: { resource: 'privacy', action: 'read' } },
      schema: {
        tags,
        summary: 'Everything that is kept of one contact, of one moment',
        params: idParams,
        response: { 200: contactExportSchema, ...failures },
      },
    },
    async (request, reply) => {
      const { workspaceId, actor } = accessOf(request);
      const exported = await deps.privacy.exportContact(workspaceId, pathId('contact', request.params.id), actor);
      if (exported.ok) {
        reply.header('content-disposition', `attachment; filename="${exported.value.contact.id}.json"`);
        return exported.value;
      }
      if (exported.refusal === 'not-found') throw notFound('contact');
      throw new ProblemError('export-too-large', 'there is more of this contact than one document can hold');
    },
  );

  routes.post(
    '/contacts/:id/erase',
    {
      config: { access: { resource: 'privacy', action: 'write' } },
      schema: {
        tags,
        summary: 'Hide a contact at once, and purge what is theirs',
        description: 'Answers with the receipt; its counts grow until its phase is `done`. It cannot be undone.',
        params: idParams,
        body: erasureRequestSchema,
        response: { 202: erasureSchema, ...failures },
      },
    },
    async (request, reply) => {
      const { workspaceId, actor } = accessOf(request);
      const contactId = pathId('contact', request.params.id);
      const erasure = await deps.privacy.eraseContact(workspaceId, contactId, actor);
      if (!erasure) throw notFound('contact');
      // A doorbell: should it be lost, the queue looks every minute.
      await deps.upkeep('purge', 'asked', null).catch((error: unknown) => {
        deps.log.warn({ error: String(error) }, 'a purge begins only when the queue looks again');
      });
      return reply.status(202).send(presentErasure(erasure));
    },
  );
}

function receiptRoutes(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/erasures',
    {
      config: { access: { resource: 'privacy', action: 'read' } },
      schema: {
        tags,
        summary: 'Receipts of erasures, the latest first',
        querystring: pageQuerySchema,
        response: { 200: pageOf(erasureSchema), ...failures },
      },
    },
    async (request) => {
      checkCursor(request.query.cursor, ['uuid']);
      const page = await deps.privacy.listErasures(accessOf(request).workspaceId, request.query);
      return { data: page.data.map(presentErasure), nextCursor: page.nextCursor };
    },
  );

  routes.get(
    '/erasures/:id',
    {
      config: { access: { resource: 'privacy', action: 'read' } },
      schema: {
        tags,
        summary: 'The receipt of one erasure',
        params: idParams,
        response: { 200: erasureSchema, ...failures },
      },
    },
    async (request) => {
      const erasure = await deps.privacy.findErasure(
        accessOf(request).workspaceId,
        pathId('erasure', request.params.id),
      );
      if (!erasure) throw notFound('erasure');
      return presentErasure(erasure);
    },
  );
}

function retentionRoutes(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/retention',
    {
      config: { isHeavy: true, access: { resource: 'privacy', action: 'read' } },
      schema: {
        tags,
        summary: 'How long raw records are kept, and what the next run would take',
        description: 'With `deliveryDays` or `attemptDays`: what it would take if that were the policy.',
        querystring: retentionQuerySchema,
        response: { 200: retentionSchema, ...failures },
      },
    },
    async (request) => presentRetention(await deps.retention.plan(accessOf(request).workspaceId, request.query)),
  );

  routes.patch(
    '/retention',
    {
      config: { access: { resource: 'privacy', action: 'write' } },
      schema: {
        tags,
        summary: 'Change how long raw records are kept',
        body: retentionChangeSchema,
        response: { 200: retentionSchema, ...failures },
      },
    },
    async (request) => {
      const { workspaceId, actor } = accessOf(request);
      return presentRetention(await deps.retention.set(workspaceId, request.body, actor));
    },
  );
}
