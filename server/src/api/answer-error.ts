/** Whatever was thrown, as a problem. The table of codes is `problem.ts`. */
import { STATUS_CODES } from 'node:http';
import type { Problem } from '@switchyard/contract';
import type { FastifyError, FastifyReply } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import type { Log } from '#kernel';
import { StorageUnavailable } from '#storage';
import { ProblemError, problemOf } from './problem.ts';

const unavailableRetrySeconds = 5;
const maxErrorsTold = 20;

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.status(problem.status).type('application/problem+json').serializer(String).send(JSON.stringify(problem));
}

export function answerError(log: Log, error: FastifyError, reply: FastifyReply): FastifyReply {
  if (error instanceof ProblemError) {
    if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds);
    return sendProblem(reply, error.problem);
  }
  if (error instanceof StorageUnavailable) {
    reply.header('retry-after', unavailableRetrySeconds);
    return sendProblem(reply, problemOf('unavailable', 'the database cannot be asked right now'));
  }
  if (hasZodFastifySchemaValidationErrors(error)) return sendProblem(reply, misfit(error));
  if (error.statusCode !== undefined && error.statusCode < 500) return sendProblem(reply, unreadable(error));
  const where = isResponseSerializationError(error) ? 'an answer does not fit its schema' : 'a request failed';
  log.error(
    { error: error.stack ?? String(error), cause: error.cause === undefined ? undefined : String(error.cause) },
    where,
  );
  return sendProblem(reply, problemOf('failed', 'this is our fault; it was logged'));
}

function misfit(error: { readonly validation: readonly { instancePath: string; message?: string }[] }): Problem {
  const errors = error.validation
    .slice(0, maxErrorsTold)
    .map(({ instancePath, message }) => ({ path: instancePath || '/', message: message ?? 'is wrong' }));
  const [first] = errors;
  return problemOf('invalid-request', `${first?.path ?? '/'}: ${first?.message ?? 'does not fit'}`, { errors });
}

/** What fastify itself refuses before a route sees it. */
function unreadable(error: FastifyError): Problem {
  switch (error.statusCode) {
    case 413:
      return problemOf('too-large', 'the body is larger than 1 MiB');
    case 415:
      return problemOf('wrong-content-type', 'send the body as application/json');
    default:
      return { ...problemOf('malformed-json', error.message), ...statusOf(error.statusCode ?? 400) };
  }
}

function statusOf(status: number): Pick<Problem, 'status' | 'title'> {
  return { status, title: STATUS_CODES[status] ?? 'Bad Request' };
}
