import type { ApiDeps } from './deps.ts';
import { ProblemError } from './problem.ts';

/** Requests of one key or one person; generous: a guard against loops, not a price list. */
export const requestLimit = { requests: 1_200, windowMs: 60_000 } as const;

/** Throws `slow-down`. A count that cannot be had refuses nobody: the limit guards the server, not the data. */
export async function checkRate(deps: Pick<ApiDeps, 'engines' | 'log'>, actor: string): Promise<void> {
  const counted = await deps.engines.counters
    .add(`api ${actor}`, 1, requestLimit.windowMs)
    .catch((error: unknown) => deps.log.warn({ err: error }, 'API requests could not be counted'));
  if (!counted || counted.total <= requestLimit.requests) return;
  throw new ProblemError('slow-down', `more than ${requestLimit.requests} requests a minute`, {
    retryAfterSeconds: Math.max(1, Math.ceil(counted.remainingMs / 1_000)),
  });
}
