/**
 * `/settings/whatsapp-accounts` and its nine routes, and the same under its oldest name `/settings/whatsapp-sessions`.
 * They are other words for the newer routes: the same rights, the same doors, the same audit log.
 */
import { type AccountId, nothingSchema, parsePhone, type WorkspaceId } from '@switchyard/contract';
import { z } from 'zod';
import type { AccountActs, AccountSummary, ConnectionAct, NewAccount } from '#accounts';
import { newId } from '#kernel';
import { loadHealth, loadStatistics, usualRangeMs } from '#monitoring';
import { actingOn, auditAccount } from '../audit.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf, type RouteAccess } from '../guard.ts';
import { pathId } from '../ids.ts';
import { presentStatistics } from '../present/account.ts';
import { notFound, ProblemError, refusal } from '../problem.ts';
import { idParams, noQuery, type Routes } from '../schemas.ts';
import { timeZoneOf } from '../time-zone.ts';
import { type OlderAccount, olderAccountSchema, presentOlderAccount } from './older-account.ts';
import { answered, olderAnswerOf, olderFailures, snakeKeys } from './older-shape.ts';

const tags = ['older names'];
const reading: RouteAccess = { resource: 'accounts', action: 'read' };
const writing: RouteAccess = { resource: 'accounts', action: 'write' };
const oneAccount = olderAnswerOf(olderAccountSchema);

/** A name in its plural, and how the words of answers call one of them. */
interface OlderName {
  readonly path: string;
  readonly noun: string;
}

export const olderAccountNames: readonly OlderName[] = [
  { path: '/settings/whatsapp-accounts', noun: 'Account' },
  { path: '/settings/whatsapp-sessions', noun: 'Session' },
];

const common = { deprecated: true, tags } as const;

export async function olderAccountRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  for (const name of olderAccountNames) {
    listRoutes(routes, deps, name);
    createRoute(routes, deps, name);
    actRoutes(routes, deps, name);
    removeRoute(routes, deps, name);
    regenerateRoute(routes, deps, name);
    statisticsRoute(routes, deps, name);
  }
}

function listRoutes(routes: Routes, deps: ApiDeps, { path, noun }: OlderName): void {
  routes.get(
    path,
    {
      config: { access: reading, successor: '/api/v1/accounts' },
      schema: {
        ...common,
        summary: `${noun}s: primary first, then newest`,
        querystring: noQuery,
        response: { 200: olderAnswerOf(z.array(olderAccountSchema)), ...olderFailures },
      },
    },
    async (request) => {
      const { workspaceId } = accessOf(request);
      const accounts = await deps.accounts.list(workspaceId);
      return answered(`${noun}s retrieved successfully`, await presentAll(deps, workspaceId, accounts));
    },
  );

  routes.get(
    `${path}/:id`,
    {
      config: { access: reading, successor: '/api/v1/accounts/{id}' },
      schema: {
        ...common,
        summary: `One ${noun.toLowerCase()}`,
        params: idParams,
        response: { 200: oneAccount, ...olderFailures },
      },
    },
    async (request) => {
      const { workspaceId } = accessOf(request);
      const account = await loadAccount(deps, workspaceId, request.params.id);
      return answered(`${noun} retrieved successfully`, await present(deps, workspaceId, account));
    },
  );
}

const newOlderAccountSchema = z
  .strictObject({
    phone_number: z.string().min(1).max(40),
    account_name: z.string().max(200).nullish(),
    /** The oldest name of `account_name`. */
    session_name: z.string().max(200).nullish(),
    provider_type: z.enum(['webjs', 'meta']),
    is_primary: z.boolean().default(false),
    /** Meta’s own; needed there. */
    phone_number_id: z.string().max(100).exactOptional(),
    waba_id: z.string().max(100).exactOptional(),
    access_token: z.string().max(4_000).exactOptional(),
    app_secret: z.string().max(200).exactOptional(),
    verify_token: z.string().max(200).exactOptional(),
  })
  .meta({ id: 'NewOlderAccount' });

function createRoute(routes: Routes, deps: ApiDeps, { path, noun }: OlderName): void {
  routes.post(
    path,
    {
      config: { access: writing, successor: '/api/v1/accounts' },
      schema: {
        ...common,
        summary: `Connect ${noun === 'Account' ? 'an account' : 'a session'}; it starts disconnected and inactive`,
        body: newOlderAccountSchema,
        response: { 201: oneAccount, ...olderFailures },
      },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const createdBy = access.principal.kind === 'person' ? { createdBy: access.principal.person.id } : {};
      const wanted = { ...newAccountOf(request.body), ...createdBy };
      const acts = actingOn(deps, access, { action: 'create', fields: { provider: wanted.provider } });
      const made = await acts.create(access.workspaceId, wanted);
      if (!made.ok) throw refusal(made.refusal);
      const { account } = made.value;
      const data = await present(deps, access.workspaceId, account);
      return reply.status(201).send(answered(`${noun} created successfully`, data));
    },
  );
}

/** A web session is named here, since older clients give none; its webhooks are signed with a key made for it. */
function newAccountOf(body: z.infer<typeof newOlderAccountSchema>): NewAccount {
  const phoneNumber = parsePhone(body.phone_number);
  if (!phoneNumber) {
    const message = 'is not a number with its country code, like +14155550100';
    throw new ProblemError('invalid-request', `phone_number ${message}`, {
      errors: [{ path: '/phone_number', message }],
    });
  }
  const name = body.account_name || body.session_name || phoneNumber;
  const shape = { name, phoneNumber, isPrimary: body.is_primary, isActive: false };
  if (body.provider_type === 'meta') {
    const settings = given({ phoneNumberId: body.phone_number_id, wabaId: body.waba_id });
    const { access_token: accessToken, app_secret: appSecret, verify_token: verifyToken } = body;
    return { ...shape, provider: 'meta', settings, secrets: given({ accessToken, appSecret, verifyToken }) };
  }
  const webhookKey = newWebhookKey();
  return { ...shape, provider: 'webjs', settings: { session: newId('account') }, secrets: { webhookKey } };
}

function newWebhookKey(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
}

function given(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

type Acting = ReturnType<typeof accessOf>;

/** What is done to one account and answered with it. */
function actRoutes(routes: Routes, deps: ApiDeps, { path, noun }: OlderName): void {
  const moving = (act: ConnectionAct) => async (access: Acting, acting: AccountActs, id: AccountId) => {
    const moved = await acting.moveConnection(access.workspaceId, id, { act, actor: access.actor });
    if (moved.ok) await deps.pairing.follow(access.workspaceId, id, act, access.actor);
    return moved;
  };
  const acts = [
    {
      action: 'set-primary',
      summary: 'Make it the primary of its channel',
      words: `${noun} set as primary successfully`,
      run: (access: Acting, acting: AccountActs, id: AccountId) => acting.setPrimary(access.workspaceId, id),
    },
    {
      action: 'disconnect',
      summary: 'Disconnect it',
      words: `${noun} disconnected successfully`,
      run: moving('disconnect'),
    },
    {
      action: 'reconnect',
      summary: 'Connect it again',
      words: `${noun} reconnection initiated`,
      run: moving('connect'),
    },
  ] as const;
  for (const { action, summary, words, run } of acts) {
    routes.post(
      `${path}/:id/${action}`,
      {
        config: { access: writing, successor: `/api/v1/accounts/{id}/${action}` },
        schema: {
          ...common,
          summary,
          params: idParams,
          body: nothingSchema,
          response: { 200: oneAccount, ...olderFailures },
        },
      },
      async (request) => {
        const access = accessOf(request);
        const id = pathId('account', request.params.id);
        const outcome = await run(access, actingOn(deps, access, { action }), id);
        if (!outcome.ok) throw refusal(outcome.refusal);
        const account = await loadAccount(deps, access.workspaceId, id);
        return answered(words, await present(deps, access.workspaceId, account));
      },
    );
  }
}

function removeRoute(routes: Routes, deps: ApiDeps, { path, noun }: OlderName): void {
  routes.delete(
    `${path}/:id`,
    {
      config: { access: writing, successor: '/api/v1/accounts/{id}' },
      schema: {
        ...common,
        summary: 'Remove it',
        params: idParams,
        response: { 200: olderAnswerOf(z.null()), ...olderFailures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const removed = await actingOn(deps, access, { action: 'remove' }).remove(access.workspaceId, id);
      if (!removed.ok) throw refusal(removed.refusal);
      return answered(`${noun} deleted successfully`, null);
    },
  );
}

const olderQrSchema = z.object({
  qr_code: z.string().nullable(),
  expires_in: z.int().nullable(),
  account_id: z.uuid(),
});

function regenerateRoute(routes: Routes, deps: ApiDeps, { path }: OlderName): void {
  routes.post(
    `${path}/:id/regenerate-qr`,
    {
      config: { access: writing, successor: '/api/v1/accounts/{id}/regenerate-qr' },
      schema: {
        ...common,
        summary: 'Ask for a new QR code; it may come later, by the events',
        params: idParams,
        body: nothingSchema,
        response: { 200: olderAnswerOf(olderQrSchema), ...olderFailures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const { id } = await loadAccount(deps, access.workspaceId, request.params.id);
      const asked = await deps.pairing.regenerateQr(access.workspaceId, id, access.actor);
      if (!asked.ok) throw refusal(asked.refusal);
      await auditAccount(deps, access, { action: 'regenerate-qr', id });
      const { qr } = asked.value;
      const leftMs = qr ? qr.expiresAt.getTime() - deps.clock.now().getTime() : null;
      const expires_in = leftMs === null ? null : Math.max(0, Math.round(leftMs / 1_000));
      return answered('QR code regenerated', {
        qr_code: qr ? (qr.code ?? qr.image) : null,
        expires_in,
        account_id: id,
      });
    },
  );
}

function statisticsRoute(routes: Routes, deps: ApiDeps, { path, noun }: OlderName): void {
  routes.get(
    `${path}/:id/statistics`,
    {
      config: { access: reading, successor: '/api/v1/accounts/{id}/statistics' },
      schema: {
        ...common,
        summary: 'What went through it in the last 30 days, by the day',
        description: 'The members are those of the newer route, in snake_case.',
        params: idParams,
        response: { 200: olderAnswerOf(z.record(z.string(), z.unknown())), ...olderFailures },
      },
    },
    async (request) => {
      const { workspaceId } = accessOf(request);
      const { id } = await loadAccount(deps, workspaceId, request.params.id);
      const to = deps.clock.now();
      const timeZone = await timeZoneOf(deps, workspaceId);
      const range = { from: new Date(to.getTime() - usualRangeMs.day), to, by: 'day', timeZone } as const;
      const statistics = await deps.storage.inWorkspace(workspaceId, (tx) => loadStatistics(tx, id, range));
      const data = snakeKeys(presentStatistics(statistics)) as Record<string, unknown>;
      return answered(`${noun} statistics retrieved successfully`, data);
    },
  );
}

async function loadAccount(deps: ApiDeps, workspaceId: WorkspaceId, id: string): Promise<AccountSummary> {
  const account = await deps.accounts.find(workspaceId, pathId('account', id));
  if (!account) throw notFound('account');
  return account;
}

async function present(deps: ApiDeps, workspaceId: WorkspaceId, account: AccountSummary): Promise<OlderAccount> {
  const [presented] = await presentAll(deps, workspaceId, [account]);
  return presented!;
}

async function presentAll(
  deps: ApiDeps,
  workspaceId: WorkspaceId,
  accounts: readonly AccountSummary[],
): Promise<OlderAccount[]> {
  const now = deps.clock.now();
  const health = await deps.storage.inWorkspace(workspaceId, (tx) => loadHealth(tx, accounts, now));
  return accounts.map((account) => presentOlderAccount(account, health.get(account.id)));
}
