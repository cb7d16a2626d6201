import { balanceSchema, foundTraceSchema, pageOf, watchedNumberSchema } from '@switchyard/contract';
import { z } from 'zod';
import { type LedgerSpan, ledgerLimits, unpackForSearch } from '#inbox';
import { longestQuery } from '#monitoring';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { queryId } from '../ids.ts';
import { type NameOfAccount, presentBalance, presentFoundTrace, presentNumber } from '../present/monitoring.ts';
import { ProblemError } from '../problem.ts';
import { failures, noQuery, type Routes } from '../schemas.ts';

const tags = ['monitoring'];
const read = { access: { resource: 'monitoring', action: 'read' } } as const;
const dayMs = 24 * 3_600_000;

const balanceQuery = z.strictObject({
  account: z.string().max(100).exactOptional(),
  from: z.iso.datetime({ offset: true }).exactOptional(),
  to: z.iso.datetime({ offset: true }).exactOptional(),
});

export async function monitoringRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  balanceRoute(routes, deps);
  traceRoute(routes, deps);
  routes.get(
    '/monitoring/numbers',
    {
      config: { ...read, isHeavy: true },
      schema: {
        tags,
        summary: 'Every account: how quiet it is for its rhythm, and how its canary is',
        querystring: noQuery,
        response: { 200: pageOf(watchedNumberSchema), ...failures },
      },
    },
    async (request) => {
      const numbers = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) =>
        deps.monitoring.numbers(tx),
      );
      return { data: numbers.map(presentNumber), nextCursor: null };
    },
  );
}

function balanceRoute(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/monitoring/balance',
    {
      config: { ...read, isHeavy: true },
      schema: {
        tags,
        summary: 'What came hour by hour and how far it has come, with every gap by name',
        description: 'The last day where no span is given; whole hours, at most 31 days.',
        querystring: balanceQuery,
        response: { 200: balanceSchema, ...failures },
      },
    },
    async (request) => {
      const { workspaceId } = accessOf(request);
      const accountId = queryId('account', request.query.account);
      const span = checkSpan(request.query, deps.clock.now());
      const balance = await deps.monitoring.ledger.balance({ workspaceId, accountId, span });
      return presentBalance(balance, await namesOf(deps, workspaceId));
    },
  );
}

/** The last day where nothing is said. */
function checkSpan({ from, to }: { from?: string; to?: string }, now: Date): LedgerSpan {
  const end = to === undefined ? now : new Date(to);
  const start = from === undefined ? new Date(end.getTime() - dayMs) : new Date(from);
  if (start >= end) throw wrongSpan('/from', 'is not before the end of the span');
  if (end.getTime() - start.getTime() > ledgerLimits.longestSpanMs)
    throw wrongSpan('/from', 'is more than 31 days before the end');
  return { from: start, to: end };
}

function wrongSpan(path: string, message: string): ProblemError {
  return new ProblemError('invalid-request', `the beginning of the span ${message}`, { errors: [{ path, message }] });
}

async function namesOf(deps: ApiDeps, workspaceId: Parameters<ApiDeps['accounts']['list']>[0]): Promise<NameOfAccount> {
  const names = new Map((await deps.accounts.list(workspaceId)).map(({ id, name }) => [id, name]));
  return (id) => (id === null ? null : (names.get(id) ?? null));
}

function traceRoute(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/monitoring/traces',
    {
      config: { isHeavy: true, access: { resource: 'deliveries', action: 'read' } },
      schema: {
        tags,
        summary: 'Ways from a provider’s request to the receipt, by phone number, provider’s id or any id of ours',
        description:
          'The newest first, at most twenty, with what stopped on its way: a delivery that waits to be read, an event that waits for its turn or ended dead. ' +
          'Not found by number or provider’s id: a delivery or a part of one that could not be read, and one of a route for several accounts that is not read yet.',
        querystring: z.strictObject({ q: z.string().max(longestQuery).default('') }),
        response: { 200: pageOf(foundTraceSchema), ...failures },
      },
    },
    async (request) => {
      await unpackForSearch(deps);
      const found = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) =>
        deps.monitoring.search(tx, request.query.q),
      );
      return { data: found.map(presentFoundTrace), nextCursor: null };
    },
  );
}
