import { type Middleware, stop } from '../context.ts';

/** The same message by another way (phone and LID, an old and a new connector): it was answered the first time. */
export const duplicate: Middleware = {
  name: 'duplicate',
  handle: async (ctx, next) => (ctx.isNew ? next(ctx) : stop(ctx, 'duplicate')),
};
