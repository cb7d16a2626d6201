/** Parts of routes' schemas that all of them share. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { nothingSchema, problemSchema } from '@switchyard/contract';
import type { FastifyInstance, FastifyRequest, RawServerDefault, RouteOptions } from 'fastify';
import type { FastifyBaseLogger } from 'fastify/types/logger.js';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';

export type Routes = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export const idParams = z.strictObject({ id: z.string().max(100) });
export const noQuery = z.strictObject({});
export const failures = { '4xx': problemSchema, '5xx': problemSchema } as const;

/**
 * For `onRoute`: every body is held against a strict schema, that of nothing where the route names none; and where nothing
 * fits the schema, the body may be left out.
 */
export function checkBody(route: RouteOptions): void {
  if (![route.method].flat().some((method) => takingBodies.has(method))) return;
  const body = bodySchemaOf(route);
  route.schema = { ...route.schema, body };
  if (body.safeParse({}).success) route.preValidation = [takeNoBody, ...[route.preValidation ?? []].flat()];
}

const takingBodies: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

function bodySchemaOf({ schema, url }: RouteOptions): z.ZodType {
  const body = schema?.body ?? nothingSchema;
  if (body instanceof z.ZodType) return body;
  throw new Error(`${url} takes a body that no zod schema describes`);
}

async function takeNoBody(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}
