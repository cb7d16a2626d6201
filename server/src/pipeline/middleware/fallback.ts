import { sayIn } from '#flows';
import { answer, changing, type Middleware } from '../context.ts';
import { saidBy } from '../said.ts';

/** What nothing else answers goes to a person, and the customer is told so. */
export function fallback(handoverMs: number): Middleware {
  return {
    name: 'fallback',
    async handle(ctx) {
      const isOrder = saidBy(ctx.input.stored.event.content).kind === 'order';
      const text = sayIn(ctx.language, isOrder ? 'order.received' : 'fallback');
      const handlerUntil = new Date(ctx.input.now.getTime() + handoverMs);
      const handed = changing(ctx, { handler: 'person', handlerUntil });
      return answer(handed, isOrder ? 'order' : 'fallback', [{ type: 'text', text }]);
    },
  };
}
