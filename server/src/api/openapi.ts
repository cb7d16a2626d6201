/** The OpenAPI document: what the routes' schemas do not say by themselves. Pure. */
import type { SwaggerTransform, SwaggerTransformObject } from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { sessionCookie } from './access.ts';
import { type StepUpNeed, stepUpNeed } from './dangerous-acts.ts';
import type { RouteAccess } from './guard.ts';

export const openApiSecurity = {
  apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, bound to one workspace.' },
  session: { type: 'apiKey', in: 'cookie', name: sessionCookie, description: 'What the console uses.' },
  companion: { type: 'apiKey', in: 'header', name: 'X-Switchyard-Signature', description: 'See docs/companion.md.' },
} as const;

export const openApiTags = [
  { name: 'session', description: 'Log-in of people, and who asks.' },
  { name: 'workspaces', description: 'Tenants.' },
  { name: 'members', description: 'People of a workspace and their roles.' },
  { name: 'api-keys', description: 'Keys of programs, with scopes.' },
  { name: 'accounts', description: 'Connected numbers and pages.' },
  { name: 'deliveries', description: 'Requests of providers, kept byte for byte, with what became of them.' },
  { name: 'conversations', description: 'Threads of contacts with accounts.' },
  { name: 'messages', description: 'What was written, both ways.' },
  { name: 'catalogue', description: 'Categories and products.' },
  { name: 'flows', description: 'What the bot does.' },
  { name: 'monitoring', description: 'The balance of the ledger, alarms, canaries, the rhythm of numbers, traces.' },
  { name: 'events', description: 'What changed, as it changes.' },
  { name: 'second-factor', description: 'Codes by time and recovery codes of the one who asks.' },
  { name: 'invitations', description: 'Links by which people join a workspace.' },
  { name: 'audit', description: 'Who did what, in a chain of hashes.' },
  {
    name: 'older names',
    description:
      'Names that clients of older systems know, in the shapes they know. Deprecated: Link names the newer one.',
  },
  { name: 'companion', description: 'For the companion: signed with its own key, see docs/companion.md.' },
  { name: 'privacy', description: 'Export and erasure of a contact; how long raw records are kept.' },
];

const idempotencyParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Any text of your own: the first answer under it is given again for a day.',
  schema: { type: 'string', maxLength: 255 },
} as const;

const workspaceParameter = {
  name: 'X-Switchyard-Workspace',
  in: 'header',
  required: false,
  description: 'Which workspace a session means; a key has one of its own.',
  schema: { type: 'string' },
} as const;

/** Adds to each route what its access means: the right it needs, and that log-in needs none. */
export const describeRoute: SwaggerTransform = (document) => {
  const transformed = jsonSchemaTransform(document);
  const { schema } = transformed;
  if (schema.hide) return transformed;
  const access = document.route.config?.access;
  const asked = [document.route.method].flat().map((method) => stepUpWords[stepUpNeed(method, document.route.url)]);
  const needs = [describeAccess(access), ...asked].filter(Boolean).join(' ');
  const description = [schema.description, needs].filter(Boolean).join('\n\n');
  const security = access === 'anyone' ? { security: [] } : {};
  return { url: transformed.url, schema: { ...schema, ...security, ...(description ? { description } : {}) } };
};

const stepUpWords: Readonly<Record<StepUpNeed, string>> = {
  always: 'A person must have shown their password or a code in the last 10 minutes, else `step-up-needed`.',
  'by-body':
    'With secrets, or settings that say where calls go or whose webhooks are taken, a person must have shown their ' +
    'password or a code in the last 10 minutes, else `step-up-needed`.',
  never: '',
};

function describeAccess(access: RouteAccess | undefined): string {
  if (access === undefined || access === 'anyone' || access === 'known') return '';
  if (access === 'person') return 'For people who have logged in, not for keys.';
  if (access === 'member') return 'Gives what your rights let you read.';
  return `Needs the right to ${access.action} ${access.resource} (scope \`${access.resource}:${access.action}\`).`;
}

interface Operation {
  operationId?: string;
  parameters?: unknown[];
  security?: unknown[];
  deprecated?: boolean;
  responses?: Record<string, { description?: string; content?: Record<string, unknown>; headers?: unknown }>;
}

const deprecationHeaders = {
  Deprecation: { description: 'Since when, as RFC 9745 writes it.', schema: { type: 'string' } },
  Link: { description: 'The newer route, as `successor-version`.', schema: { type: 'string' } },
} as const;

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Problems have a media type of their own, and headers that no zod schema names. */
export const completeDocument: SwaggerTransformObject = (document) => {
  const whole = jsonSchemaTransformObject(document) as { paths?: Record<string, Record<string, Operation>> };
  for (const [path, operations] of Object.entries(whole.paths ?? {})) {
    for (const method of methods) {
      const operation = operations[method];
      if (operation) completeOperation(operation, method, path);
    }
  }
  return whole as ReturnType<SwaggerTransformObject>;
};

function completeOperation(operation: Operation, method: (typeof methods)[number], path: string): void {
  operation.operationId = operationIdOf(method, path);
  if (path.startsWith('/api/whatsapp/')) {
    operation.security = [{ companion: [] }];
    return;
  }
  const isPublic = operation.security?.length === 0;
  const headers = isPublic ? [] : [workspaceParameter, ...(method === 'post' ? [idempotencyParameter] : [])];
  operation.parameters = [...(operation.parameters ?? []), ...headers];
  for (const [status, response] of Object.entries(operation.responses ?? {})) {
    if (operation.deprecated) response.headers = deprecationHeaders;
    if (/^[45]/.test(status)) describeProblem(response, status);
    else if (!response.description || response.description === 'Default Response') response.description = 'Done.';
  }
}

function describeProblem(response: NonNullable<Operation['responses']>[string], status: string): void {
  response.description = status.startsWith('4')
    ? 'Refused: `code` says why.'
    : 'Our fault, or not now: try again later.';
  response.headers = {
    ...(response.headers as object | undefined),
    'Retry-After': { description: 'Seconds, with 429 and 503.', schema: { type: 'integer' } },
  };
  const problem = response.content?.['application/json'];
  if (isProblem(problem)) response.content = { 'application/problem+json': problem };
}

/** The routes with older names have a failure of their own shape. */
function isProblem(content: unknown): boolean {
  return JSON.stringify(content ?? null).includes('"#/components/schemas/Problem"');
}

/** `POST /api/v1/accounts/{id}/set-primary` is `post_accounts_id_set-primary`. */
function operationIdOf(method: string, path: string): string {
  const words = path.replace(/^\/(?:api\/v1\/)?/, '').split('/');
  return [method, ...words.map((word) => word.replace(/[{}]/g, ''))].join('_');
}
