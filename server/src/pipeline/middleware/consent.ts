import { type Middleware, stop } from '../context.ts';

/** Who has refused our messages gets none from the bot until they take them up again; people may still answer. */
export const consent: Middleware = {
  name: 'consent',
  handle: async (ctx, next) => (ctx.input.conversation.consent === 'out' ? stop(ctx, 'opted-out') : next(ctx)),
};
