import { type Middleware, stop } from '../context.ts';
import { occurredAtOf } from '../occurred.ts';

/**
 * After an outage the backlog goes to history: nobody wants an answer to what they asked this morning. Tests are let
 * through, since their bodies come from documents and carry any time.
 */
export function staleness(staleAfterMs: number): Middleware {
  return {
    name: 'staleness',
    async handle(ctx, next) {
      const { stored, now } = ctx.input;
      const ageMs = now.getTime() - occurredAtOf(stored).getTime();
      return ageMs > staleAfterMs && !stored.isTest ? stop(ctx, 'stale') : next(ctx);
    },
  };
}
