/**
 * The companion's routes under the names that older companions know, and in their shapes. Not for API keys or people: each
 * request is signed with a companion's key (`companion/signature.ts`).
 */
import { type AccountId, parseId, toPublicId } from '@switchyard/contract';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type AccountSummary, type CompanionAccount, connectionEvent } from '#accounts';
import { parseBroadcast } from '../companion/broadcast.ts';
import { companionKeyOf } from '../companion/companion-guard.ts';
import { markOlder } from '../companion/deprecation.ts';
import { accountNotFound, CompanionRefusal, leaseLost } from '../companion/refusal.ts';
import type { ApiDeps } from '../deps.ts';
import type { Routes } from '../schemas.ts';

const tags = ['companion'];
export const companionIdParams = z.strictObject({ id: z.string().max(100) });
/** The fence of the caller's lease: an older holder is refused. */
const fenceQuery = z.strictObject({ fence: z.coerce.number().int().positive().exactOptional() });
const refusals = { '4xx': z.any(), '5xx': z.any() };

export async function companionRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  routes.addHook('onSend', markOlder);
  readRoutes(routes, deps);
  markRoute(routes, deps);
  broadcastRoute(routes, deps);
}

function readRoutes(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/accounts/active',
    { schema: { tags, summary: 'Accounts whose sessions should run', response: { 200: z.any(), ...refusals } } },
    async (request) => {
      const accounts = await deps.companions.listActive(companionKeyOf(request).scope);
      return { success: true, message: 'Active accounts', data: accounts.map(presentActive) };
    },
  );

  routes.get(
    '/accounts/:id/status',
    {
      schema: {
        tags,
        summary: 'How an account is connected',
        params: companionIdParams,
        response: { 200: z.any(), ...refusals },
      },
    },
    async (request) => {
      const account = await loadAny(deps, request, request.params.id);
      return { success: true, message: 'Account status', data: presentOlder(account) };
    },
  );
}

function markRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/accounts/:id/mark-disconnected',
    {
      schema: {
        tags,
        summary: 'The session has ended',
        params: companionIdParams,
        querystring: fenceQuery,
        body: z.strictObject({ reason: z.string().max(500).exactOptional(), workspace_id: z.string().exactOptional() }),
        response: { 200: z.any(), ...refusals },
      },
    },
    async (request) => {
      const account = await loadAny(deps, request, request.params.id);
      const { reason, workspace_id: workspace } = request.body;
      if (workspace !== undefined && parseId('workspace', workspace) !== account.workspaceId) throw accountNotFound;
      await checkFence(deps, account, request.query.fence);
      const event = connectionEvent('disconnected', deps.clock.now(), reason ?? null);
      await deps.pairing.takeEvent(account.workspaceId, account.id, event);
      return { success: true, message: 'Account marked as disconnected' };
    },
  );
}

function broadcastRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/accounts/broadcast',
    {
      schema: {
        tags,
        summary: 'Tell browsers of a QR code or of a change of status',
        description:
          '`qr-code-generated {qr_code, expires_in = 300, workspace_id, account_id}` or `account-status-changed {account_id, status, workspace_id, phone_number?, metadata?}`.',
        querystring: fenceQuery,
        body: z.strictObject({ event: z.string().max(100), data: z.unknown() }),
        response: { 200: z.any(), ...refusals },
      },
    },
    async (request, reply) => {
      const parsed = parseBroadcast(request.body.event, request.body.data, deps.clock.now());
      if (parsed.kind === 'unknown-event') return reply.status(400).send({ error: 'Unknown event' });
      if (parsed.kind === 'misfit') throw new CompanionRefusal(400, 'The data does not fit the event', parsed);
      const { accountId, workspaceId, event, phoneNumber } = parsed.broadcast;
      const account = await deps.companions.findAny(companionKeyOf(request).scope, accountId);
      if (account?.workspaceId !== workspaceId) throw accountNotFound;
      await checkFence(deps, account, request.query.fence);
      await deps.pairing.takeEvent(workspaceId, accountId, event);
      if (phoneNumber && !account.phoneNumber) await keepNumber(deps, account, phoneNumber);
      return { status: 'broadcasted' };
    },
  );
}

/** A number that another account of the workspace has stays where it is: two accounts are one session too many. */
async function keepNumber(deps: ApiDeps, account: AccountSummary, phoneNumber: string): Promise<void> {
  const kept = await deps.accounts.update(account.workspaceId, account.id, { phoneNumber });
  if (kept.ok) return;
  const event = connectionEvent('error', deps.clock.now(), kept.refusal.detail);
  await deps.pairing.takeEvent(account.workspaceId, account.id, event);
}

export async function checkFence(deps: ApiDeps, account: AccountSummary, fence: number | undefined): Promise<void> {
  if (fence !== undefined && !(await deps.companions.isFenceCurrent(account, fence))) throw leaseLost;
}

export function companionAccountId(text: string): AccountId {
  const id = parseId('account', text);
  if (!id) throw accountNotFound;
  return id;
}

async function loadAny(deps: ApiDeps, request: FastifyRequest, id: string): Promise<AccountSummary> {
  const account = await deps.companions.findAny(companionKeyOf(request).scope, companionAccountId(id));
  if (!account) throw accountNotFound;
  return account;
}

/** `status` is what it was called before `connection_status`. */
function presentOlder(account: AccountSummary) {
  return {
    id: account.id,
    uuid: account.id,
    workspace_id: account.workspaceId,
    account_name: account.name,
    phone_number: account.phoneNumber,
    provider_type: account.provider,
    status: account.connectionStatus,
    connection_status: account.connectionStatus,
    is_primary: account.isPrimary,
    is_active: account.isActive,
    last_activity_at: account.lastActivityAt?.toISOString() ?? null,
    created_at: account.createdAt.toISOString(),
  };
}

function presentActive(account: CompanionAccount) {
  return {
    ...presentOlder(account),
    account_id: toPublicId('account', account.id),
    session: account.session,
    generation: account.generation,
    leased_until: account.leasedUntil?.toISOString() ?? null,
  };
}
