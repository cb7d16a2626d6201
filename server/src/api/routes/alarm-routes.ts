import {
  type AlarmTargetId,
  alarmTargetSchema,
  canaryRunSchema,
  canaryScheduleSchema,
  type IncidentId,
  incidentSchema,
  incidentStates,
  madeAlarmTargetSchema,
  newAlarmTargetSchema,
  pageOf,
  pageQuerySchema,
  testedTargetSchema,
  toPublicId,
} from '@switchyard/contract';
import { z } from 'zod';
import { pageOf as pageOfRows } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { checkCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { pathId } from '../ids.ts';
import { presentIncident, presentRun, presentTarget } from '../present/monitoring.ts';
import { notFound, ProblemError, refusal } from '../problem.ts';
import { failures, idParams, noQuery, type Routes } from '../schemas.ts';

const tags = ['monitoring'];
const read = { access: { resource: 'monitoring', action: 'read' } } as const;
const write = { access: { resource: 'monitoring', action: 'write' } } as const;

export async function alarmRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  incidentRoute(routes, deps);
  targetRoutes(routes, deps);
  testRoute(routes, deps);
  canaryRoutes(routes, deps);
}

function incidentRoute(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/monitoring/alarms',
    {
      config: read,
      schema: {
        tags,
        summary: 'Incidents, the newest first',
        querystring: pageQuerySchema.extend({ state: z.enum(incidentStates).exactOptional() }),
        response: { 200: pageOf(incidentSchema), ...failures },
      },
    },
    async (request) => {
      const { limit, state, cursor } = request.query;
      const before = checkCursor(cursor, ['uuid'])?.[0] as IncidentId | undefined;
      const rows = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) =>
        deps.monitoring.alarms.incidents(tx, { state, before, limit: limit + 1 }),
      );
      const page = pageOfRows(rows, limit, { item: presentIncident, key: ({ id }) => [id] });
      return { data: [...page.data], nextCursor: page.nextCursor };
    },
  );
}

function targetRoutes(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/monitoring/alarm-targets',
    {
      // An address may hold a secret of the receiver's: only who may change it sees it.
      config: write,
      schema: {
        tags,
        summary: 'Who is told of alarms',
        querystring: noQuery,
        response: { 200: pageOf(alarmTargetSchema), ...failures },
      },
    },
    async (request) => {
      const targets = await deps.storage.inWorkspace(accessOf(request).workspaceId, deps.monitoring.alarms.targets);
      return { data: targets.map(presentTarget), nextCursor: null };
    },
  );

  routes.post(
    '/monitoring/alarm-targets',
    {
      config: write,
      schema: {
        tags,
        summary: 'Tell an address of mail or a webhook',
        description:
          'Calls of a webhook are signed as Standard Webhooks says: `webhook-signature` is HMAC-SHA256 over `webhook-id.webhook-timestamp.body`. The secret is shown here only.',
        body: newAlarmTargetSchema,
        response: { 201: madeAlarmTargetSchema, ...failures },
      },
    },
    async (request, reply) => {
      const { workspaceId, actor } = accessOf(request);
      const made = await deps.monitoring.alarms.addTarget(workspaceId, request.body, (tx, id) =>
        audit(deps, tx, { actor, action: 'create', id }),
      );
      if (!made.ok) throw refusal(made.refusal);
      const { id, secret } = made.value;
      const target = { id, ...request.body, createdAt: deps.clock.now(), lastNotice: null };
      return reply.status(201).send({ ...presentTarget(target), secret });
    },
  );

  routes.delete(
    '/monitoring/alarm-targets/:id',
    {
      config: write,
      schema: { tags, summary: 'Tell it no more', params: idParams, response: { 204: z.null(), ...failures } },
    },
    async (request, reply) => {
      const { workspaceId, actor } = accessOf(request);
      const id = pathId('alarmTarget', request.params.id);
      const isRemoved = await deps.storage.inWorkspace(workspaceId, async (tx) => {
        const isThere = await deps.monitoring.alarms.removeTarget(tx, id);
        if (isThere) await audit(deps, tx, { actor, action: 'delete', id });
        return isThere;
      });
      if (!isRemoved) throw notFound('alarmTarget');
      return reply.status(204).send(null);
    },
  );
}

interface Act {
  readonly actor: string;
  readonly action: 'create' | 'delete';
  readonly id: AlarmTargetId;
}

/** In the transaction of the act. */
async function audit({ workspaces }: ApiDeps, tx: WorkspaceTx, { actor, action, id }: Act): Promise<void> {
  await workspaces.audit(tx, { actor, action, resource: `alarm target ${toPublicId('alarmTarget', id)}` });
}

function testRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/monitoring/alarm-targets/:id/test',
    {
      config: write,
      schema: {
        tags,
        summary: 'Tell it a test now, and say what came of it',
        params: idParams,
        response: { 200: testedTargetSchema, ...failures },
      },
    },
    async (request) => {
      const id = pathId('alarmTarget', request.params.id);
      const tried = await deps.monitoring.alarms.test(accessOf(request).workspaceId, id);
      if (!tried) throw notFound('alarmTarget');
      return tried;
    },
  );
}

function canaryRoutes(routes: Routes, deps: ApiDeps): void {
  routes.patch(
    '/monitoring/numbers/:id',
    {
      config: write,
      schema: {
        tags,
        summary: 'How often an account’s canary is sent; null: never',
        params: idParams,
        body: canaryScheduleSchema,
        response: { 200: canaryScheduleSchema, ...failures },
      },
    },
    async (request) => {
      const { workspaceId, actor } = accessOf(request);
      const id = pathId('account', request.params.id);
      if (!(await deps.accounts.find(workspaceId, id))) throw notFound('account');
      const { everyMinutes } = request.body;
      await deps.storage.inWorkspace(workspaceId, async (tx) => {
        await deps.monitoring.canaries.setSchedule(tx, id, everyMinutes);
        await deps.workspaces.audit(tx, {
          ...{ actor, action: 'update', resource: `canary of ${toPublicId('account', id)}` },
          fields: { everyMinutes },
        });
      });
      return { everyMinutes };
    },
  );

  routes.post(
    '/monitoring/numbers/:id/canary',
    {
      config: write,
      schema: {
        tags,
        summary: 'Send a canary now; its reply is held',
        params: idParams,
        response: { 202: canaryRunSchema, ...failures },
      },
    },
    async (request, reply) => {
      const { workspaceId } = accessOf(request);
      const id = pathId('account', request.params.id);
      if (!(await deps.accounts.find(workspaceId, id))) throw notFound('account');
      const { canaries } = deps.monitoring;
      const runId = await canaries.run(workspaceId, id);
      const run = runId && (await deps.storage.inWorkspace(workspaceId, (tx) => canaries.look(tx, runId)));
      if (!run) throw new ProblemError('account-inactive', 'the account is switched off');
      return reply.status(202).send(presentRun(run));
    },
  );
}
