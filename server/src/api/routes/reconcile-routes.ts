import {
  type AccountId,
  reconcileAskedSchema,
  reconcileRequestSchema,
  reconciliationListSchema,
  toPublicId,
  type WorkspaceId,
} from '@switchyard/contract';
import { defaultSpan, listReconciliations, spanProblem } from '#inbox';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { pathId } from '../ids.ts';
import { presentReconciliation } from '../present/upkeep.ts';
import { notFound, ProblemError } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['accounts'];
const shownReports = 20;

export async function reconcileRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  routes.get(
    '/accounts/:id/reconciliations',
    {
      config: { access: { resource: 'accounts', action: 'read' } },
      schema: {
        tags,
        summary: `Looks at what the provider keeps, the latest ${shownReports}`,
        params: idParams,
        response: { 200: reconciliationListSchema, ...failures },
      },
    },
    async (request) => {
      const { workspaceId } = accessOf(request);
      const account = await accessAccount(deps, workspaceId, pathId('account', request.params.id));
      const found = await deps.storage.inWorkspace(workspaceId, (tx) =>
        listReconciliations(tx, account.id, shownReports),
      );
      return { data: found.map(presentReconciliation) };
    },
  );

  routes.post(
    '/accounts/:id/reconcile',
    {
      config: { access: { resource: 'accounts', action: 'write' } },
      schema: {
        tags,
        summary: 'Ask the provider for messages whose webhooks were lost',
        description: 'Done by a worker; what it found and how far back it could look is in `reconciliations`.',
        params: idParams,
        body: reconcileRequestSchema,
        response: { 202: reconcileAskedSchema, ...failures },
      },
    },
    async (request, reply) => {
      const { workspaceId } = accessOf(request);
      const account = await accessAccount(deps, workspaceId, pathId('account', request.params.id));
      const span = { ...defaultSpan(account.lastWebhookAt, deps.clock.now()), ...datesOf(request.body) };
      const problem = spanProblem(span);
      if (problem)
        throw new ProblemError('invalid-request', problem, { errors: [{ path: '/from', message: problem }] });
      const told = { from: span.from.toISOString(), until: span.until.toISOString() };
      const payload = {
        ...{ workspaceId: toPublicId('workspace', workspaceId), accountId: toPublicId('account', account.id) },
        ...{ reason: 'asked', ...told },
      };
      // Another span is another job, whatever of this account waits already.
      const id = `asked-${account.id}-${span.from.getTime()}-${span.until.getTime()}`;
      await deps.upkeep('reconcile', id, payload);
      return reply.status(202).send(told);
    },
  );
}

async function accessAccount(deps: ApiDeps, workspaceId: WorkspaceId, id: AccountId) {
  const account = await deps.accounts.find(workspaceId, id);
  if (!account) throw notFound('account');
  return account;
}

function datesOf(given: { readonly from?: string; readonly until?: string }) {
  return {
    ...(given.from ? { from: new Date(given.from) } : {}),
    ...(given.until ? { until: new Date(given.until) } : {}),
  };
}
