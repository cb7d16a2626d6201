/** Leases and session state, for our own companion; signed like the older routes. */
import { z } from 'zod';
import { type CompanionAccount, companionLimits, type LeaseKeys } from '#accounts';
import { companionKeyOf } from '../companion/companion-guard.ts';
import { accountNotFound, leaseLost } from '../companion/refusal.ts';
import type { ApiDeps } from '../deps.ts';
import type { Routes } from '../schemas.ts';
import { companionAccountId, companionIdParams } from './companion-routes.ts';

const tags = ['companion'];
const answers = { 200: z.any(), '4xx': z.any(), '5xx': z.any() };
const maxStateBytes = 4 * 1024 * 1024;

const holder = z.string().min(1).max(200);
const fence = z.int().positive();
const leaseMs = z.int().min(companionLimits.minLeaseMs).max(companionLimits.maxLeaseMs);
const stateName = z.string().min(1).max(companionLimits.maxStateNameLength);
const stateValue = z.string().max(companionLimits.maxStateValueLength).nullable();
const fewEnough = (value: object) => Object.keys(value).length <= companionLimits.maxStateNames;

export async function companionSessionRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  leaseRoutes(routes, deps);
  stateRoutes(routes, deps);
}

function leaseRoutes(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/accounts/:id/lease',
    {
      schema: {
        tags,
        summary: 'Take the session for this machine',
        description: '409 while another holds it. The fence goes with everything that the holder writes.',
        params: companionIdParams,
        body: z.strictObject({
          holder,
          lease_ms: leaseMs,
          url: z
            .url({ protocol: /^https?$/ })
            .max(500)
            .exactOptional(),
        }),
        response: answers,
      },
    },
    async (request, reply) => {
      const { scope } = companionKeyOf(request);
      const { holder, lease_ms, url } = request.body;
      const wish = { holder, leaseMs: lease_ms, ...(url === undefined ? {} : { url }) };
      const answer = await deps.companions.takeLease(scope, companionAccountId(request.params.id), wish);
      if (answer.kind === 'missing') throw accountNotFound;
      if (answer.kind === 'held') {
        const data = { until: answer.until.toISOString() };
        return reply.status(409).send({ success: false, message: leaseLost.message, data });
      }
      const { lease } = answer;
      const data = { fence: lease.fence, lease_ms: lease.leaseMs, ...presentKeys(lease) };
      return { success: true, message: 'Leased', data };
    },
  );

  routes.put(
    '/accounts/:id/lease',
    {
      schema: {
        tags,
        summary: 'Keep the session',
        description: 'Answers with the account’s keys of now, which may have changed since the lease was taken.',
        params: companionIdParams,
        body: z.strictObject({ holder, fence, lease_ms: leaseMs }),
        response: answers,
      },
    },
    async (request) => {
      const account = await load(deps, companionKeyOf(request), request.params.id);
      const { holder, fence, lease_ms } = request.body;
      const answer = await deps.companions.renewLease(account, holder, fence, lease_ms);
      if (answer.kind === 'lost') throw leaseLost;
      if (answer.kind === 'missing') throw accountNotFound;
      const data = { fence, lease_ms, ...presentKeys(answer.keys) };
      return { success: true, message: 'Renewed', data };
    },
  );

  routes.post(
    '/accounts/:id/lease/release',
    {
      schema: {
        tags,
        summary: 'Give the session back',
        params: companionIdParams,
        body: z.strictObject({ holder, fence }),
        response: answers,
      },
    },
    async (request) => {
      const account = await load(deps, companionKeyOf(request), request.params.id);
      await deps.companions.giveBackLease(account, request.body.holder, request.body.fence);
      return { success: true, message: 'Given back' };
    },
  );
}

function presentKeys({ webhookUrl, webhookKey, apiKey }: LeaseKeys) {
  return { webhook_url: webhookUrl, webhook_key: webhookKey, api_key: apiKey };
}

function stateRoutes(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/accounts/:id/session-state/read',
    {
      schema: {
        tags,
        summary: 'Read parts of the session state',
        params: companionIdParams,
        body: z.strictObject({ names: z.array(stateName).min(1).max(companionLimits.maxStateNames) }),
        response: answers,
      },
    },
    async (request) => {
      const account = await load(deps, companionKeyOf(request), request.params.id);
      return { success: true, message: 'State', data: await deps.companions.readState(account, request.body.names) };
    },
  );

  routes.post(
    '/accounts/:id/session-state/write',
    {
      bodyLimit: maxStateBytes,
      schema: {
        tags,
        summary: 'Write parts of the session state; null takes one away',
        params: companionIdParams,
        body: z.strictObject({
          fence,
          changes: z.record(stateName, stateValue).refine(fewEnough, 'are too many'),
        }),
        response: answers,
      },
    },
    async (request) => {
      const account = await load(deps, companionKeyOf(request), request.params.id);
      const { fence, changes } = request.body;
      if (!(await deps.companions.writeState(account, fence, changes))) throw leaseLost;
      return { success: true, message: 'Written' };
    },
  );

  routes.post(
    '/accounts/:id/session-state/clear',
    {
      schema: {
        tags,
        summary: 'Forget the session: the phone has unlinked it',
        params: companionIdParams,
        body: z.strictObject({ fence }),
        response: answers,
      },
    },
    async (request) => {
      const account = await load(deps, companionKeyOf(request), request.params.id);
      if (!(await deps.companions.clearState(account, request.body.fence))) throw leaseLost;
      return { success: true, message: 'Forgotten' };
    },
  );
}

async function load(deps: ApiDeps, key: ReturnType<typeof companionKeyOf>, id: string): Promise<CompanionAccount> {
  const account = await deps.companions.find(key.scope, companionAccountId(id));
  if (!account) throw accountNotFound;
  return account;
}
