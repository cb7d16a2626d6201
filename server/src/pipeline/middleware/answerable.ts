import { type Middleware, stop } from '../context.ts';
import type { TurnInput } from '../pipeline.ts';
import { saidBy } from '../said.ts';

/** Lets through only what the bot may answer at all; the rest is in the thread, for people. */
export const answerable: Middleware = {
  name: 'answerable',
  async handle(ctx, next) {
    const reason = whyNot(ctx.input);
    return reason === null ? next(ctx) : stop(ctx, reason);
  },
};

function whyNot({ account, stored }: TurnInput): string | null {
  const { event } = stored;
  if (account.cutover === 'legacy') return 'served-by-legacy';
  if (event.isHistory) return 'history';
  if (event.groupId !== undefined) return 'group';
  return saidBy(event.content).kind === 'nothing' ? `no-answer-to-${event.content.type}` : null;
}
