import { changing, type Middleware, stop } from '../context.ts';

/** While a person has the conversation the bot is silent; when their time is over, it takes it back. */
export const handover: Middleware = {
  name: 'handover',
  async handle(ctx, next) {
    const { conversation, now } = ctx.input;
    if (conversation.handler === 'bot') return next(ctx);
    const isTheirs = conversation.handlerUntil === null || now < conversation.handlerUntil;
    if (isTheirs) return stop(ctx, 'with-a-person');
    return next(changing(ctx, { handler: 'bot', handlerUntil: null }), 'taken back');
  },
};
