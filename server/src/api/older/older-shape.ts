/**
 * How the routes with older names speak: snake_case, `{success, message, data}` and `{success, message, errors}`, bare
 * uuids, and a Deprecation header (RFC 9745) with the way to the newer route in Link (RFC 8288).
 */
import type { Problem } from '@switchyard/contract';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Log } from '#kernel';
import { problemFor } from '../answer-error.ts';

/** The day the newer names were published: 2026-11-21. */
const deprecatedAt = 1_795_219_200;

export const olderFailureSchema = z
  .object({
    success: z.literal(false),
    message: z.string(),
    /** The stable code, as the newer routes give it. */
    code: z.string(),
    /** By field. */
    errors: z.record(z.string(), z.array(z.string())).exactOptional(),
    /** The state that forbade it, of a 409. */
    state: z.string().exactOptional(),
  })
  .meta({ id: 'OlderFailure' });

export const olderFailures = { '4xx': olderFailureSchema, '5xx': olderFailureSchema } as const;

export function olderAnswerOf<Data extends z.ZodType>(data: Data) {
  return z.object({ success: z.literal(true), message: z.string(), data });
}

export function answered<Data>(message: string, data: Data) {
  return { success: true as const, message, data };
}

/** For `onRequest`, before access is settled: refusals are of the older route too. */
export async function markDeprecated(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { successor } = request.routeOptions.config;
  reply.header('deprecation', `@${deprecatedAt}`);
  if (successor) reply.header('link', `<${successor}>; rel="successor-version"`);
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The newer route of one with an older name. */
    successor?: string;
  }
}

/** Words that older clients may look for; the code says the same to newer ones. */
const olderWords: Readonly<Record<string, string>> = {
  'invalid-request': 'Validation failed',
  'missing-field': 'Validation failed',
  'unknown-field': 'Validation failed',
  'phone-taken': 'Account with this phone number already exists',
};

export function answerOlderError(log: Log) {
  return (error: FastifyError, _request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { problem, retryAfterSeconds } = problemFor(log, error);
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
    const body = JSON.stringify(olderFailure(problem));
    return reply.status(problem.status).type('application/json').serializer(String).send(body);
  };
}

function olderFailure(problem: Problem): z.infer<typeof olderFailureSchema> {
  const words = olderWords[problem.code];
  const errors = problem.errors ?? (words ? [{ path: '/', message: problem.detail }] : []);
  const byField: Record<string, string[]> = {};
  for (const { path, message = 'is wrong' } of errors) {
    for (const field of fieldsOf(path, message)) byField[field] = [...(byField[field] ?? []), message];
  }
  return {
    success: false,
    message: words ?? problem.detail ?? problem.title,
    code: problem.code,
    ...(errors.length > 0 ? { errors: byField } : {}),
    ...(problem.state === undefined ? {} : { state: problem.state }),
  };
}

/** A key that there is not stands in the message, since it has no place in the schema. */
function fieldsOf(path: string, message: string): readonly string[] {
  const unknown = /unrecognized key/i.test(message)
    ? [...message.matchAll(/"([^"]+)"/g)].flatMap(([, key]) => key ?? [])
    : [];
  if (unknown.length > 0) return unknown;
  return [path.replace(/^\//, '').replaceAll('/', '.') || 'request'];
}

/** `{lastSeenAt: 1}` → `{last_seen_at: 1}`, at every depth; keys that are people's own words (`meta-1`) stay. */
export function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeKeys(inner),
    ]),
  );
}
