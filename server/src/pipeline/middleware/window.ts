import { windowAt } from '#conversations';
import { type Middleware, stop } from '../context.ts';
import { occurredAtOf } from '../occurred.ts';

/** No free text where the provider would refuse it. This very message counts, if its turn comes in time. */
export const window: Middleware = {
  name: 'window',
  async handle(ctx, next) {
    const { capabilities, conversation, now, stored } = ctx.input;
    if (stored.isTest) return next(ctx, 'test');
    const written = occurredAtOf(stored);
    const last = conversation.lastInboundAt;
    const lastInboundAt = last !== null && last > written ? last : written;
    const { freeEntryUntil } = conversation;
    const open = windowAt({ lastInboundAt, freeEntryUntil }, capabilities.windowHours, now);
    return open.kind === 'open' ? next(ctx) : stop(ctx, 'window-closed');
  },
};
