/** Parts of routes' schemas that all of them share. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemSchema } from '@switchyard/contract';
import type { FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
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

/** For `preValidation` of a route whose body may be left out: none is an empty one, and is held against the same schema. */
export async function takeNoBody(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}
