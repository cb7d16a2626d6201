import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommerce } from '#commerce';
import { createFlows } from '#flows';
import { answer, compose, defaultLimits, type Middleware, standardMiddleware, stop, type TurnContext } from '#pipeline';
import { openPipelineWorld, type PipelineWorld } from './world.ts';

const named = (name: string, handle: Middleware['handle']): Middleware => ({ name, handle });
const passing = (name: string) => named(name, (ctx, next) => next(ctx));
/** What compose itself looks at: the rest is for middleware. */
const empty = { replies: [], steps: [], end: null } as unknown as TurnContext;

describe('compose', () => {
  it('runs from the outside in, and lets the outer look at what came of it', async () => {
    const outer = named('outer', async (ctx, next) => {
      const after = await next(ctx, 'before');
      return after.end?.kind === 'silent' ? answer(after, 'rescued', [{ type: 'text', text: 'hi' }]) : after;
    });
    const done = await compose([outer, passing('middle'), named('inner', async (ctx) => stop(ctx, 'no'))])(empty);
    expect(done.end).toEqual({ kind: 'answered', reason: 'rescued' });
    expect(done.steps).toEqual([
      { name: 'outer', verdict: 'passed', detail: 'before' },
      { name: 'middle', verdict: 'passed' },
      { name: 'inner', verdict: 'stopped', detail: 'no' },
    ]);
  });

  it('does not reach what comes after the one that ends the turn', async () => {
    const never = named('never', async () => {
      throw new Error('reached');
    });
    const done = await compose([named('end', async (ctx) => stop(ctx, 'enough')), never])(empty);
    expect(done.steps).toHaveLength(1);
  });

  it('ends open when all have passed', async () => {
    expect((await compose([passing('a')])(empty)).end).toBeNull();
  });

  it('refuses a middleware that goes on twice, or neither goes on nor ends the turn', async () => {
    const twice = named('twice', async (ctx, next) => next(await next(ctx)));
    await expect(compose([twice])(empty)).rejects.toThrow('middleware twice calls next once');
    await expect(compose([named('lost', async (ctx) => ctx)])(empty)).rejects.toThrow('middleware lost passes');
  });
});

describe('a team’s own middleware', () => {
  let world: PipelineWorld;
  beforeAll(async () => {
    world = await openPipelineWorld();
  });
  afterAll(() => world.close());

  it('takes its place among the standard ones, and may keep a part of the session', async () => {
    const standard = standardMiddleware({ flows: createFlows(), commerce: createCommerce(), limits: defaultLimits });
    const holiday = named('holiday', async (ctx, next) => {
      if (ctx.session.holiday === 'told') return next(ctx);
      const told = { ...ctx, session: { ...ctx.session, holiday: 'told' } };
      return answer(told, 'on-holiday', [{ type: 'text', text: 'Back on Monday!' }]);
    });
    const at = standard.findIndex((one) => one.name === 'flow');
    const ana = world.customer({ parts: { middleware: standard.toSpliced(at, 0, holiday) } });
    const first = await ana.sends('hola');
    expect(first).toMatchObject({ kind: 'answered', reason: 'on-holiday' });
    expect(await ana.lastText()).toBe('Back on Monday!');
    expect(await ana.sends('hola')).toMatchObject({ kind: 'answered', reason: 'demo/menu' });
    expect((await ana.conversation()).session).toMatchObject({ holiday: 'told', flow: { step: 'menu' } });
  });
});
