import {
  accountHealthSchema,
  accountStatisticsSchema,
  accountStatusSchema,
  channelOfProvider,
  endSchema,
  isPaired,
  isTimeZone,
  type ProviderView,
  pageOf,
  providerSchema,
  providers,
  statisticsQuerySchema,
  type WorkspaceId,
} from '@switchyard/contract';
import type { z } from 'zod';
import { type AccountSummary, commonSettings } from '#accounts';
import type { SettingField } from '#channels';
import { listEnds, loadHealth, loadStatistics, longestRangeMs, type StatisticsRange, usualRangeMs } from '#monitoring';
import type { ApiDeps } from '../deps.ts';
import { accessOf, type RouteAccess } from '../guard.ts';
import { pathId } from '../ids.ts';
import { presentEnd, presentHealth, presentStatistics, presentStatus } from '../present/account.ts';
import { notFound, ProblemError } from '../problem.ts';
import { failures, idParams, noQuery, type Routes } from '../schemas.ts';
import { timeZoneOf } from '../time-zone.ts';

const tags = ['accounts'];
const reading: RouteAccess = { resource: 'accounts', action: 'read' };
const maxHistory = 50;

/** How an account is and was, what will end, and what accounts are made of. */
export async function accountInsightRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  statusRoute(routes, deps);
  healthRoute(routes, deps);
  statisticsRoute(routes, deps);
  endsRoute(routes, deps);
  providersRoute(routes, deps);
}

function statusRoute(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/accounts/:id/status',
    {
      config: { access: reading },
      schema: {
        tags,
        summary: 'The connection and the webhooks of an account, and how they came to be so',
        params: idParams,
        response: { 200: accountStatusSchema, ...failures },
      },
    },
    async (request) => {
      const { workspaceId } = accessOf(request);
      const account = await loadAccount(deps, workspaceId, request.params.id);
      const history = await deps.accounts.listConnectionChanges(workspaceId, account.id, maxHistory);
      return presentStatus(account, history);
    },
  );
}

function healthRoute(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/accounts/:id/health',
    {
      config: { access: reading },
      schema: {
        tags,
        summary: 'The health of an account: a score from 100, and the signals that explain it',
        description: 'Healthy means 70 or more and connected. Signals stand heaviest first, each with its next step.',
        params: idParams,
        response: { 200: accountHealthSchema, ...failures },
      },
    },
    async (request) => {
      const { workspaceId } = accessOf(request);
      const account = await loadAccount(deps, workspaceId, request.params.id);
      const now = deps.clock.now();
      const health = await deps.storage.inWorkspace(workspaceId, (tx) => loadHealth(tx, [account], now));
      const found = health.get(account.id);
      if (!found) throw notFound('account');
      return presentHealth(found);
    },
  );
}

function statisticsRoute(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/accounts/:id/statistics',
    {
      config: { isHeavy: true, access: reading },
      schema: {
        tags,
        summary: 'What went through an account, by the hour or by the day',
        description:
          'At most 14 days by the hour and 92 days by the day; without `from` and `to` one day, or 30. Days are the workspace’s own, or those of `timeZone`.',
        params: idParams,
        querystring: statisticsQuerySchema,
        response: { 200: accountStatisticsSchema, ...failures },
      },
    },
    async (request) => {
      const { workspaceId } = accessOf(request);
      const timeZone = request.query.timeZone ?? (await timeZoneOf(deps, workspaceId));
      const range = rangeOf({ ...request.query, timeZone }, deps.clock.now());
      const { id } = await loadAccount(deps, workspaceId, request.params.id);
      return presentStatistics(await deps.storage.inWorkspace(workspaceId, (tx) => loadStatistics(tx, id, range)));
    },
  );
}

function endsRoute(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/ends',
    {
      config: { access: { resource: 'tokens', action: 'read' } },
      schema: {
        tags,
        summary: 'When secrets, replaced webhook tokens and API keys end, soonest first',
        querystring: noQuery,
        response: { 200: pageOf(endSchema), ...failures },
      },
    },
    async (request) => {
      const now = deps.clock.now();
      const ends = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) => listEnds(tx, now));
      return { data: ends.map(presentEnd), nextCursor: null };
    },
  );
}

function providersRoute(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/providers',
    {
      config: { access: 'known' },
      schema: {
        tags,
        summary: 'What an account of each provider is made of',
        querystring: noQuery,
        response: { 200: pageOf(providerSchema), ...failures },
      },
    },
    () => ({ data: providers.map((provider) => describeProvider(deps, provider)), nextCursor: null }),
  );
}

async function loadAccount(deps: ApiDeps, workspaceId: WorkspaceId, id: string): Promise<AccountSummary> {
  const account = await deps.accounts.find(workspaceId, pathId('account', id));
  if (!account) throw notFound('account');
  return account;
}

type Asked = z.infer<typeof statisticsQuerySchema> & { readonly timeZone: string };

function rangeOf(query: Asked, now: Date): StatisticsRange {
  const { by, timeZone } = query;
  const to = query.to === undefined ? now : new Date(query.to);
  const from = query.from === undefined ? new Date(to.getTime() - usualRangeMs[by]) : new Date(query.from);
  if (from >= to) throw wrongRange('/from', 'is not before the end of the range');
  if (to.getTime() - from.getTime() > longestRangeMs[by]) {
    throw wrongRange('/from', `is more than ${longestRangeMs[by] / 86_400_000} days before the end of the range`);
  }
  if (!isTimeZone(timeZone)) throw wrongRange('/timeZone', 'is not the name of a time zone, like Europe/Madrid');
  return { from, to, by, timeZone };
}

function wrongRange(path: string, message: string): ProblemError {
  return new ProblemError('invalid-request', `${path}: ${message}`, { errors: [{ path, message }] });
}

function describeProvider(deps: ApiDeps, provider: ProviderView['provider']): ProviderView {
  const { settings, secrets, webhookEvents } = deps.fieldsOf(provider);
  return {
    provider,
    channel: channelOfProvider[provider],
    isPaired: isPaired(provider),
    settings: [...settings, ...commonSettings].map(describeField),
    secrets: secrets.map(describeField),
    webhookEvents: [...webhookEvents],
  };
}

function describeField({ name, label, isRequired, hint, placeholder }: SettingField): ProviderView['settings'][number] {
  return { name, label, isRequired, hint, placeholder: placeholder ?? null };
}
