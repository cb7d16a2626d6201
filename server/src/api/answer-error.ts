/** Whatever was thrown, as a problem. The table of codes is `problem.ts`. */
import { STATUS_CODES } from 'node:http';
import type { Problem } from '@switchyard/contract';
import type { FastifyError, FastifyReply } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import type { Log } from '#kernel';
import { CommitUnknown, StorageUnavailable } from '#storage';
import { ProblemError, problemOf } from './problem.ts';

const unavailableRetrySeconds = 5;
const maxErrorsTold = 20;

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.status(problem.status).type('application/problem+json').serializer(String).send(JSON.stringify(problem));
}

export function answerError(log: Log, error: FastifyError, reply: FastifyReply): FastifyReply {
  const { problem, retryAfterSeconds } = problemFor(log, error);
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
  return sendProblem(reply, problem);
}

export interface ProblemToAnswer {
  readonly problem: Problem;
  readonly retryAfterSeconds?: number | undefined;
}

/** What is nobody's fault but ours is logged here. */
export function problemFor(log: Log, error: FastifyError): ProblemToAnswer {
  if (error instanceof ProblemError) return { problem: error.problem, retryAfterSeconds: error.retryAfterSeconds };
  if (error instanceof StorageUnavailable) {
    const detail =
      error instanceof CommitUnknown
        ? 'the database went away while this was being written; it may have taken effect'
        : 'the database cannot be asked right now';
    const problem = problemOf('unavailable', detail);
    return { problem, retryAfterSeconds: unavailableRetrySeconds };
  }
  if (hasZodFastifySchemaValidationErrors(error)) return { problem: misfit(error) };
  if (error.statusCode !== undefined && error.statusCode < 500) return { problem: unreadable(error) };
  const where = isResponseSerializationError(error) ? 'an answer does not fit its schema' : 'a request failed';
  log.error(
    { error: error.stack ?? String(error), cause: error.cause === undefined ? undefined : String(error.cause) },
    where,
  );
  return { problem: problemOf('failed', 'this is our fault; it was logged') };
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
