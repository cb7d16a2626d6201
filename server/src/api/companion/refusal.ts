import type { FastifyError, FastifyReply } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { Log } from '#kernel';
import { StorageUnavailable } from '#storage';

/** A refusal in the older shape: `{success: false, message, errors?}`. */
export class CompanionRefusal extends Error {
  override readonly name = 'CompanionRefusal';
  readonly statusCode: number;
  readonly errors: Readonly<Record<string, readonly string[]>> | undefined;

  constructor(
    statusCode: number,
    message: string,
    more: { readonly cause?: unknown; readonly errors?: Readonly<Record<string, readonly string[]>> } = {},
  ) {
    super(message, { cause: more.cause });
    this.statusCode = statusCode;
    this.errors = more.errors;
  }
}

/** Another workspace's account and a missing one are answered alike. */
export const accountNotFound = new CompanionRefusal(404, 'Account not found');
export const leaseLost = new CompanionRefusal(409, 'The lease is held by another');

const unavailableRetrySeconds = 5;

export function answerCompanionError(log: Log, error: FastifyError, reply: FastifyReply): FastifyReply {
  if (error instanceof CompanionRefusal) {
    const { errors } = error;
    return reply
      .status(error.statusCode)
      .send({ success: false, message: error.message, ...(errors ? { errors } : {}) });
  }
  if (error instanceof StorageUnavailable) {
    reply.header('retry-after', unavailableRetrySeconds);
    return reply.status(503).send({ success: false, message: 'The database cannot be asked right now' });
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const told = error.validation.map(({ instancePath, message }) => [instancePath || '/', [message ?? 'is wrong']]);
    const errors = Object.fromEntries(told) as Record<string, string[]>;
    return reply.status(400).send({ success: false, message: 'The request does not fit its schema', errors });
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return reply.status(error.statusCode).send({ success: false, message: error.message });
  }
  log.error({ error: error.stack ?? String(error) }, 'a request of a companion failed');
  return reply.status(500).send({ success: false, message: 'This is our fault; it was logged' });
}
