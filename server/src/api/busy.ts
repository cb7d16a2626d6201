/**
 * Heavy reads (lists, statistics, exports) are slowed before anything that customers wait for is: under pressure only so
 * many are answered at once, and the others are told when to come again. Live events, single things and all writes go on.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiDeps } from './deps.ts';
import { ProblemError } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Reads many rows: what must wait under pressure. */
    isHeavy?: true;
  }
}

/** Of one process, and only under pressure. */
export const busyLimits = { heavyAtOnce: 2, retryAfterSeconds: 3 } as const;

/** For `preHandler`. Throws `busy`. Counts at all times, so that those under way count when the pressure comes. */
export function slowHeavyReads({ isSlowingReads }: Pick<ApiDeps, 'isSlowingReads'>) {
  let underWay = 0;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (!request.routeOptions.config.isHeavy) return;
    if (isSlowingReads() && underWay >= busyLimits.heavyAtOnce) {
      throw new ProblemError('busy', 'the system is busy with messages; lists and statistics wait', {
        retryAfterSeconds: busyLimits.retryAfterSeconds,
      });
    }
    underWay += 1;
    // Also where the client went away before its answer.
    reply.raw.once('close', () => {
      underWay -= 1;
    });
  };
}
