import { sayIn } from '#flows';
import { answer, type Middleware, stop, type TurnContext } from '../context.ts';
import { parseRateState, type RateState } from '../session.ts';

const windowMs = 60_000;

/** The bot answers one contact so many times a minute; then it says so once, and is silent until the minute is over. */
export function rate(answersPerMinute: number): Middleware {
  return {
    name: 'rate',
    async handle(ctx, next) {
      const state = currentState(ctx);
      if (state.answers < answersPerMinute) return counted(await next(ctx), state);
      if (state.isTold) return stop(ctx, 'rate-limited');
      const told = remember(ctx, { ...state, isTold: true });
      return answer(told, 'rate-notice', [{ type: 'text', text: sayIn(ctx.language, 'tooFast') }]);
    },
  };
}

function currentState(ctx: TurnContext): RateState {
  const nowMs = ctx.input.now.getTime();
  const state = parseRateState(ctx.session.rate);
  // One that began in a future this far off was begun by a clock that was wrong, or is right again.
  const isRunning = state !== null && Math.abs(nowMs - state.startedAt) < windowMs;
  return isRunning ? state : { startedAt: nowMs, answers: 0, isTold: false };
}

function counted(ctx: TurnContext, state: RateState): TurnContext {
  return ctx.replies.length === 0 ? ctx : remember(ctx, { ...state, answers: state.answers + 1 });
}

function remember(ctx: TurnContext, rateState: RateState): TurnContext {
  return { ...ctx, session: { ...ctx.session, rate: rateState } };
}
