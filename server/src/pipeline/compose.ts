import { assert } from '#kernel';
import type { Middleware, TurnContext } from './context.ts';
import type { TurnStep } from './pipeline.ts';

/**
 * An onion: the first middleware is the outermost. Every one that a turn reaches leaves a step in its trace: `passed`
 * when it called `next`, else what it did.
 */
export function compose(middleware: readonly Middleware[]): (ctx: TurnContext) => Promise<TurnContext> {
  return (ctx) => run(middleware, ctx);
}

async function run(middleware: readonly Middleware[], ctx: TurnContext): Promise<TurnContext> {
  const [current, ...inner] = middleware;
  if (current === undefined) return ctx;
  let hasPassed = false;
  const after = await current.handle(ctx, (passed, detail) => {
    assert(!hasPassed, `middleware ${current.name} calls next once`);
    hasPassed = true;
    return run(inner, withStep(passed, { name: current.name, verdict: 'passed', ...(detail ? { detail } : {}) }));
  });
  if (hasPassed) return after;
  assert(after.end !== null, `middleware ${current.name} passes the turn on or ends it`);
  const verdict = after.end.kind === 'answered' ? 'answered' : 'stopped';
  return withStep(after, { name: current.name, verdict, detail: after.end.reason });
}

function withStep(ctx: TurnContext, step: TurnStep): TurnContext {
  return { ...ctx, steps: [...ctx.steps, step] };
}
