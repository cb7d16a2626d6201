import {
  type DeliveryId,
  deliverySchema,
  pageOf,
  pageQuerySchema,
  parseId,
  problemSchema,
  replayedSchema,
  traceSchema,
} from '@switchyard/contract';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { inboxTopic, listDeliveries, replayDelivery, traceDelivery } from '#inbox';
import { encodeCursor, parseCursor } from '#kernel';
import { accessTo, authenticate } from '../access.ts';
import type { ApiDeps } from '../deps.ts';
import { presentDelivery, presentTrace } from '../present-delivery.ts';
import { notFound, ProblemError } from '../problem.ts';

const params = z.object({ id: z.string() });
const query = pageQuerySchema.extend({
  account: z.string().optional(),
  state: z.enum(['stored', 'normalised', 'dead']).optional(),
});

export async function deliveryRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const tags = ['deliveries'];

  routes.get(
    '/deliveries',
    {
      schema: {
        tags,
        summary: 'Deliveries, newest first',
        querystring: query,
        response: { 200: pageOf(deliverySchema), '4xx': problemSchema },
      },
    },
    async (request) => {
      const { workspaceId } = accessTo(request, await authenticate(request, deps.workspaces), {
        resource: 'deliveries',
        action: 'read',
      });
      const { limit, state, cursor, account } = request.query;
      const accountId = account === undefined ? undefined : parseId('account', account);
      if (account !== undefined && !accountId)
        throw new ProblemError('invalid-request', 'account is not an account id');
      const before = cursor === undefined ? undefined : (parseCursor(cursor, 1)?.[0] as DeliveryId | undefined);
      const rows = await deps.storage.inWorkspace(workspaceId, (tx) =>
        listDeliveries(tx, { accountId, state, before, limit: limit + 1 }),
      );
      const page = rows.slice(0, limit);
      return {
        data: page.map(presentDelivery),
        nextCursor: rows.length > limit ? encodeCursor([page.at(-1)?.id ?? null]) : null,
      };
    },
  );

  routes.get(
    '/deliveries/:id',
    {
      schema: {
        tags,
        summary: 'One delivery with every hop of its trace',
        params,
        response: { 200: traceSchema, '4xx': problemSchema },
      },
    },
    async (request) => {
      const { workspaceId } = accessTo(request, await authenticate(request, deps.workspaces), {
        resource: 'deliveries',
        action: 'read',
      });
      const id = parseId('delivery', request.params.id);
      const trace = id ? await deps.storage.inWorkspace(workspaceId, (tx) => traceDelivery(tx, id)) : null;
      if (!trace) throw notFound('delivery');
      return presentTrace(trace);
    },
  );

  routes.post(
    '/deliveries/:id/replay',
    {
      schema: {
        tags,
        summary: 'Handle it once more; what took effect stays single',
        params,
        response: { 202: replayedSchema, '4xx': problemSchema },
      },
    },
    async (request, reply) => {
      const access = accessTo(request, await authenticate(request, deps.workspaces), {
        resource: 'deliveries',
        action: 'write',
      });
      const id = parseId('delivery', request.params.id);
      const replayed = id ? await replayDelivery(deps.storage, access.workspaceId, id) : null;
      if (!replayed?.isFound) throw notFound('delivery');
      await deps.storage.inWorkspace(access.workspaceId, (tx) =>
        deps.workspaces.audit(tx, { actor: access.actor, action: 'replay', resource: `delivery ${id}` }),
      );
      await deps.engines.doorbell.ring(inboxTopic);
      return reply.status(202).send({ revived: replayed.revived });
    },
  );
}
