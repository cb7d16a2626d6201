/** The OpenAPI document says of every route what it takes, gives and refuses. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeName } from './route-table.ts';
import { openWorld, type World } from './world.ts';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly deprecated?: boolean;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: unknown }> };
  readonly responses: Record<string, { readonly description?: string; readonly content?: Record<string, unknown> }>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, unknown>; readonly securitySchemes: object };
}

let world: World;
let document: Document;

beforeAll(async () => {
  world = await openWorld();
  document = (await world.ask('GET', '/api/openapi.json')).json<Document>();
});
afterAll(() => world.close());

const allOperations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  );

/** The newer interface; older names speak in older shapes. */
const operations = () => allOperations().filter(({ path }) => path.startsWith('/api/v1/'));

it('names what a companion asks, and that it is signed', () => {
  const signed = allOperations().filter(({ path }) => path.startsWith('/api/whatsapp/accounts'));
  expect(signed.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['GET /api/whatsapp/accounts/active', 'POST /api/whatsapp/accounts/broadcast']),
  );
  for (const { name, operation } of signed) {
    expect([name, operation.security]).toEqual([name, [{ companion: [] }]]);
    const schema = operation.requestBody?.content['application/json']?.schema;
    if (schema) expect([name, schema]).toMatchObject([name, { additionalProperties: false }]);
  }
});

it('is of version 3.1 and names every route once', () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  const routes = world.app.apiRoutes.map((route) => routeName(route).replace(/:(\w+)/g, '{$1}'));
  // A companion signs by a key of its own: its routes stand outside the table of who may do what.
  const guarded = allOperations().filter(({ path }) => !path.startsWith('/api/whatsapp/accounts'));
  expect(guarded.map(({ name }) => name).sort()).toEqual(routes.sort());
  const ids = allOperations().map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

it('says of every operation what it does, where it belongs, and how it answers', () => {
  const tags = document.tags.map(({ name }) => name);
  for (const { name, operation } of operations()) {
    expect(operation.summary, name).toMatch(/^[A-Z]/);
    expect(tags, name).toContain(operation.tags?.[0]);
    const statuses = Object.keys(operation.responses);
    expect(
      statuses.some((status) => status.startsWith('2')),
      name,
    ).toBe(true);
    expect(statuses, name).toEqual(expect.arrayContaining(['4XX', '5XX']));
    for (const [status, response] of Object.entries(operation.responses)) {
      expect(response.description, `${name} ${status}`).toBeTruthy();
      expect(response.description).not.toBe('Default Response');
      const failure = operation.deprecated
        ? { 'application/json': { schema: { $ref: '#/components/schemas/OlderFailure' } } }
        : { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
      if (status === '4XX') expect(response.content).toEqual(failure);
    }
  }
});

it('names every part of a path, and the keys that a POST takes', () => {
  for (const { name, path, operation } of operations()) {
    const named = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    expect(
      named.map((parameter) => parameter.name),
      name,
    ).toEqual(path.match(/(?<=\{)\w+/g) ?? []);
    expect(
      named.every(({ required }) => required),
      name,
    ).toBe(true);
    const isKeyed = (operation.parameters ?? []).some((parameter) => parameter.name === 'Idempotency-Key');
    expect([name, isKeyed]).toEqual([name, name.startsWith('POST') && operation.security?.length !== 0]);
  }
});

describe('its schemas', () => {
  it('have names, and every reference leads to one', () => {
    const names = Object.keys(document.components.schemas);
    expect(names).toEqual(
      expect.arrayContaining(['Account', 'Conversation', 'Delivery', 'DeliveryTrace', 'Message', 'Problem', 'Product']),
    );
    const references = JSON.stringify(document).match(/(?<="\$ref":")[^"]+/g) ?? [];
    expect(references.length).toBeGreaterThan(30);
    for (const reference of references) expect(names).toContain(reference.replace('#/components/schemas/', ''));
  });

  it('take no key that they do not name', () => {
    for (const { name, operation } of operations()) {
      const schema = operation.requestBody?.content['application/json']?.schema as { $ref?: string } | undefined;
      if (!schema) continue;
      const part = schema.$ref?.replace('#/components/schemas/', '') ?? '';
      expect([name, document.components.schemas[part]]).toMatchObject([name, { additionalProperties: false }]);
    }
  });
});

describe('its pages', () => {
  it('ask nobody outside, under the policy of all our pages', async () => {
    const page = await world.ask('GET', '/api/docs/');
    expect(page.status).toBe(200);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/https?:|upgrade-insecure-requests|unsafe-eval/);
    const links = page.text.match(/(?:src|href)="[^"]*"/g) ?? [];
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      expect(link).not.toMatch(/"(?:https?:)?\/\//);
      const path = new URL(link.replace(/^\w+="|"$/g, ''), `http://127.0.0.1/api/docs/`).pathname;
      expect([path, (await world.ask('GET', path)).status]).toEqual([path, 200]);
    }
  });
});
