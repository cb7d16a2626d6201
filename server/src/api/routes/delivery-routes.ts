import {
  type DeliveryId,
  deliverySchema,
  pageOf,
  pageQuerySchema,
  replayedSchema,
  toPublicId,
  traceSchema,
} from '@switchyard/contract';
import { z } from 'zod';
import { inboxTopic, listDeliveries, replayDelivery, traceDelivery, unpackArrivals } from '#inbox';
import { pageOf as pageOfRows } from '#kernel';
import { checkCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { pathId, queryId } from '../ids.ts';
import { presentDelivery, presentTrace } from '../present/delivery.ts';
import { notFound, ProblemError } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const query = pageQuerySchema.extend({
  account: z.string().max(100).exactOptional(),
  state: z.enum(['stored', 'normalised', 'dead']).exactOptional(),
});
const tags = ['deliveries'];

export async function deliveryRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  readRoutes(routes, deps);
  replayRoute(routes, deps);
}

function readRoutes(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/deliveries',
    {
      config: { isHeavy: true, access: { resource: 'deliveries', action: 'read' } },
      schema: {
        tags,
        summary: 'Deliveries, newest first',
        querystring: query,
        response: { 200: pageOf(deliverySchema), ...failures },
      },
    },
    async (request) => {
      const { limit, state, cursor, account } = request.query;
      const accountId = queryId('account', account);
      const before = checkCursor(cursor, ['uuid'])?.[0] as DeliveryId | undefined;
      await unpackArrivals(deps);
      const rows = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) =>
        listDeliveries(tx, { accountId, state, before, limit: limit + 1 }),
      );
      const page = pageOfRows(rows, limit, { item: presentDelivery, key: ({ id }) => [id] });
      return { data: [...page.data], nextCursor: page.nextCursor };
    },
  );

  routes.get(
    '/deliveries/:id',
    {
      config: { access: { resource: 'deliveries', action: 'read' } },
      schema: {
        tags,
        summary: 'One delivery with every hop of its trace',
        params: idParams,
        response: { 200: traceSchema, ...failures },
      },
    },
    async (request) => {
      const id = pathId('delivery', request.params.id);
      const trace = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) => traceDelivery(tx, id));
      if (!trace) throw notFound('delivery');
      return presentTrace(trace);
    },
  );
}

function replayRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/deliveries/:id/replay',
    {
      config: { access: { resource: 'deliveries', action: 'write' } },
      schema: {
        tags,
        summary: 'Handle it once more; what took effect stays single',
        params: idParams,
        response: { 202: replayedSchema, ...failures },
      },
    },
    async (request, reply) => {
      const { workspaceId, actor } = accessOf(request);
      const id = pathId('delivery', request.params.id);
      const replayed = await replayDelivery(deps.storage, workspaceId, id);
      if (!replayed.isFound) throw notFound('delivery');
      if (replayed.isEmptied)
        throw new ProblemError(
          'body-emptied',
          'its body was taken by retention or an erasure; nothing is left to handle',
        );
      await deps.storage.inWorkspace(workspaceId, async (tx) => {
        deps.noteChange(tx, 'delivery', [id]);
        await deps.workspaces.audit(tx, {
          actor,
          action: 'replay',
          resource: `delivery ${toPublicId('delivery', id)}`,
        });
      });
      await deps.engines.doorbell.ring(inboxTopic);
      return reply.status(202).send({ revived: replayed.revived });
    },
  );
}
