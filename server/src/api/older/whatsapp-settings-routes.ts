/**
 * `/whatsapp/settings`: a settings row of a single-tenant shop is an account on Meta's Cloud API here. The active row is
 * the primary WhatsApp account, so exactly one is active and the switch is one transaction; the others go on receiving.
 * Its names were camelCase; snake_case is taken too. Secrets are never shown.
 */

import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AccountSummary } from '#accounts';
import type { Access } from '../access.ts';
import { actingOn } from '../audit.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf, type RouteAccess } from '../guard.ts';
import { pathId } from '../ids.ts';
import { notFound, ProblemError, refusal } from '../problem.ts';
import { idParams, noQuery, type Routes } from '../schemas.ts';
import { answered, olderAnswerOf, olderFailures } from './older-shape.ts';

const path = '/whatsapp/settings';
const tags = ['older names'];
const common = { deprecated: true, tags } as const;
const reading: RouteAccess = { resource: 'accounts', action: 'read' };
const writing: RouteAccess = { resource: 'accounts', action: 'write' };
const successor = '/api/v1/accounts';

const settingsSchema = z
  .object({
    id: z.uuid(),
    /** The Cloud API has no such key: null. */
    apiKey: z.null(),
    phoneNumberId: z.string(),
    businessId: z.string().nullable(),
    /** Masked; null where none is held. */
    accessToken: z.string().nullable(),
    webhookToken: z.string().nullable(),
    appSecret: z.string().nullable(),
    isActive: z.boolean(),
    lastUpdatedAt: z.string(),
    createdAt: z.string(),
  })
  .meta({ id: 'OlderSettings' });

const fields = {
  /** Taken and not kept: the Cloud API has no such key. */
  apiKey: z.string().max(4_000).exactOptional(),
  businessId: z.string().max(100).exactOptional(),
  appSecret: z.string().max(200).exactOptional(),
  /** Taken and not kept: the webhook URL is this server's own. */
  webhookUrl: z.string().max(2_000).nullable().exactOptional(),
  isActive: z.boolean().exactOptional(),
};
const newSettingsSchema = z
  .strictObject({
    ...fields,
    phoneNumberId: z.string().min(1).max(100),
    accessToken: z.string().min(1).max(4_000),
    webhookToken: z.string().min(1).max(200).exactOptional(),
  })
  .meta({ id: 'NewOlderSettings' });
const changedSettingsSchema = z
  .strictObject({
    ...fields,
    phoneNumberId: z.string().min(1).max(100).exactOptional(),
    accessToken: z.string().min(1).max(4_000).exactOptional(),
    webhookToken: z.string().min(1).max(200).exactOptional(),
  })
  .meta({ id: 'ChangedOlderSettings' });

type Given = z.infer<typeof changedSettingsSchema>;
const one = olderAnswerOf(settingsSchema);

export async function olderSettingsRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  readRoutes(routes, deps);
  createRoute(routes, deps);
  changeRoutes(routes, deps);
  removeRoutes(routes, deps);
}

function readRoutes(routes: Routes, deps: ApiDeps): void {
  routes.get(
    path,
    {
      config: { access: reading, successor },
      schema: {
        ...common,
        summary: 'Settings rows, the active one first',
        querystring: noQuery,
        response: { 200: olderAnswerOf(z.array(settingsSchema)), ...olderFailures },
      },
    },
    async (request) =>
      answered('Settings retrieved successfully', (await listSettings(deps, accessOf(request))).map(present)),
  );

  routes.get(
    `${path}/active`,
    {
      config: { access: reading, successor },
      schema: {
        ...common,
        summary: 'The active settings row',
        querystring: noQuery,
        response: { 200: one, ...olderFailures },
      },
    },
    async (request) =>
      answered('Active settings retrieved successfully', present(await loadActive(deps, accessOf(request)))),
  );

  routes.get(
    `${path}/:id`,
    {
      config: { access: reading, successor: `${successor}/{id}` },
      schema: { ...common, summary: 'One settings row', params: idParams, response: { 200: one, ...olderFailures } },
    },
    async (request) =>
      answered('Settings retrieved successfully', present(await loadOne(deps, accessOf(request), request.params.id))),
  );
}

function createRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    path,
    {
      config: { access: writing, successor },
      preValidation: takeSnakeKeys,
      schema: {
        ...common,
        summary: 'Add a settings row; it is the active one unless `isActive` is false',
        body: newSettingsSchema,
        response: { 201: one, ...olderFailures },
      },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const createdBy = access.principal.kind === 'person' ? { createdBy: access.principal.person.id } : {};
      const made = await actingOn(deps, access, { action: 'create', fields: { provider: 'meta' } }).create(
        access.workspaceId,
        {
          ...{ provider: 'meta', ...accountFieldsOf(request.body), ...createdBy },
          ...{ isActive: true, isPrimary: request.body.isActive ?? true },
        },
      );
      if (!made.ok) throw refusal(made.refusal);
      return reply.status(201).send(answered('Settings created successfully', present(made.value.account)));
    },
  );
}

/** With an id, or without one: then the active row is meant. */
function changeRoutes(routes: Routes, deps: ApiDeps): void {
  const schema = { ...common, body: changedSettingsSchema, response: { 200: one, ...olderFailures } };
  routes.put(
    path,
    {
      config: { access: writing, successor: `${successor}/{id}` },
      preValidation: takeSnakeKeys,
      schema: { ...schema, summary: 'Change the active settings row' },
    },
    async (request) => {
      const access = accessOf(request);
      return change(deps, access, await loadActive(deps, access), request.body);
    },
  );
  routes.put(
    `${path}/:id`,
    {
      config: { access: writing, successor: `${successor}/{id}` },
      preValidation: takeSnakeKeys,
      schema: { ...schema, summary: 'Change a settings row, or make it the active one', params: idParams },
    },
    async (request) => {
      const access = accessOf(request);
      return change(deps, access, await loadOne(deps, access, request.params.id), request.body);
    },
  );
}

async function change(deps: ApiDeps, access: Access, before: AccountSummary, body: Given) {
  if (body.isActive === false && before.isPrimary)
    throw new ProblemError('settings-active', 'one row is always active: make another one active instead', {
      state: 'active',
    });
  const { id } = before;
  const updating = actingOn(deps, access, { action: 'update', fields: { changed: Object.keys(body) } });
  const changed = await updating.update(access.workspaceId, id, {
    ...accountFieldsOf(body),
    ...(body.isActive ? { isActive: true } : {}),
  });
  if (!changed.ok) throw refusal(changed.refusal);
  if (!body.isActive || before.isPrimary) return answered('Settings updated successfully', present(changed.value));
  const switched = await actingOn(deps, access, { action: 'set-primary' }).setPrimary(access.workspaceId, id);
  if (!switched.ok) throw refusal(switched.refusal);
  return answered('Settings updated successfully', present(switched.value));
}

function removeRoutes(routes: Routes, deps: ApiDeps): void {
  const remove = async (access: Access, { id }: AccountSummary) => {
    const removed = await actingOn(deps, access, { action: 'remove' }).remove(access.workspaceId, id);
    if (!removed.ok) throw refusal(removed.refusal);
    return answered('Settings deleted successfully', null);
  };
  const schema = { ...common, response: { 200: olderAnswerOf(z.null()), ...olderFailures } };
  routes.delete(
    path,
    {
      config: { access: writing, successor: `${successor}/{id}` },
      schema: { ...schema, summary: 'Remove the active settings row; the oldest that is left becomes active' },
    },
    async (request) => {
      const access = accessOf(request);
      return remove(access, await loadActive(deps, access));
    },
  );
  routes.delete(
    `${path}/:id`,
    {
      config: { access: writing, successor: `${successor}/{id}` },
      schema: { ...schema, summary: 'Remove a settings row', params: idParams },
    },
    async (request) => {
      const access = accessOf(request);
      return remove(access, await loadOne(deps, access, request.params.id));
    },
  );
}

/** For `preValidation`: names that the schema knows in the other spelling; any other is left to be refused as it came. */
async function takeSnakeKeys(request: FastifyRequest): Promise<void> {
  const { body } = request;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return;
  const camel = (key: string) => {
    const name = key.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
    return Object.hasOwn(changedSettingsSchema.shape, name) ? name : key;
  };
  request.body = Object.fromEntries(Object.entries(body).map(([key, value]) => [camel(key), value]));
}

function accountFieldsOf(body: Given) {
  const texts = (all: Readonly<Record<string, string | undefined>>) =>
    Object.fromEntries(Object.entries(all).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
  return {
    settings: texts({ phoneNumberId: body.phoneNumberId, wabaId: body.businessId }),
    secrets: texts({ accessToken: body.accessToken, verifyToken: body.webhookToken, appSecret: body.appSecret }),
  };
}

async function listSettings(deps: ApiDeps, { workspaceId }: Access): Promise<readonly AccountSummary[]> {
  return (await deps.accounts.list(workspaceId)).filter(({ provider }) => provider === 'meta');
}

async function loadActive(deps: ApiDeps, access: Access): Promise<AccountSummary> {
  const active = (await listSettings(deps, access)).find(({ isPrimary }) => isPrimary);
  if (!active) throw notFound('active settings row');
  return active;
}

async function loadOne(deps: ApiDeps, access: Access, text: string): Promise<AccountSummary> {
  const account = await deps.accounts.find(access.workspaceId, pathId('account', text));
  if (account?.provider !== 'meta') throw notFound('account');
  return account;
}

const mask = '********';

function present(account: AccountSummary): z.infer<typeof settingsSchema> {
  const masked = (name: string) => (account.heldSecrets.includes(name) ? mask : null);
  const changes = account.secretDates.map(({ setAt }) => setAt.getTime());
  return {
    id: account.id,
    apiKey: null,
    phoneNumberId: account.settings.phoneNumberId ?? '',
    businessId: account.settings.wabaId ?? null,
    accessToken: masked('accessToken'),
    webhookToken: masked('verifyToken'),
    appSecret: masked('appSecret'),
    isActive: account.isPrimary,
    lastUpdatedAt: new Date(Math.max(account.createdAt.getTime(), ...changes)).toISOString(),
    createdAt: account.createdAt.toISOString(),
  };
}
