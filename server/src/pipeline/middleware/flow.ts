import type { CommerceDoor } from '#commerce';
import {
  type Advance,
  advance,
  type Flow,
  type FlowEffect,
  type FlowEvent,
  type FlowFacts,
  type FlowsDoor,
  parseFlowState,
} from '#flows';
import { assert } from '#kernel';
import { loadNeed } from '../catalogue-facts.ts';
import { answer, changing, type Middleware, stop, type TurnContext } from '../context.ts';
import { saidBy } from '../said.ts';

/** A move asks for the catalogue step by step; more often than this it is going round in circles. */
const maxNeeds = 8;
const hourMs = 3_600_000;

/** The workspace's flow answers. An order, or a flow that cannot be read, is passed on to the fallback. */
export function flow(parts: { readonly flows: FlowsDoor; readonly commerce: CommerceDoor }): Middleware {
  return {
    name: 'flow',
    async handle(ctx, next) {
      const said = saidBy(ctx.input.stored.event.content);
      if (said.kind !== 'flow') return next(ctx, said.kind);
      const active = await parts.flows.loadActiveFlow(ctx.tx);
      if (!active.ok) return next(ctx, `the active flow is not valid: ${active.refusal.problems[0]?.problem ?? ''}`);
      const moved = await advanceWithFacts(ctx, parts.commerce, { flow: active.value, event: said.event });
      const { name } = active.value.definition;
      return conclude(
        { ...ctx, session: { ...ctx.session, flow: moved.state } },
        moved.effects,
        `${name}/${moved.state.step}`,
      );
    },
  };
}

async function advanceWithFacts(
  ctx: TurnContext,
  commerce: CommerceDoor,
  move: { readonly flow: Flow; readonly event: FlowEvent },
): Promise<Extract<Advance, { kind: 'done' }>> {
  const state = parseFlowState(ctx.session.flow);
  let facts = factsOf(ctx);
  for (let asked = 0; asked <= maxNeeds; asked += 1) {
    const moved = advance(move.flow, state, move.event, facts);
    if (moved.kind === 'done') return moved;
    facts = { ...facts, catalogue: await loadNeed(ctx.tx, commerce, { need: moved.need, known: facts.catalogue }) };
  }
  assert(false, 'a flow asks for a few facts, then answers');
}

function factsOf(ctx: TurnContext): FlowFacts {
  const { account, capabilities, conversation, now } = ctx.input;
  return {
    now: now.toISOString(),
    language: ctx.language,
    contactName: conversation.contactName,
    shopName: account.workspaceName,
    capabilities,
    catalogue: {},
  };
}

function conclude(ctx: TurnContext, effects: readonly FlowEffect[], reason: string): TurnContext {
  const replies = effects.flatMap((effect) => (effect.kind === 'send' ? [effect.content] : []));
  const taken = effects.find((effect) => effect.kind === 'handover');
  const until = taken ? new Date(ctx.input.now.getTime() + taken.hours * hourMs) : null;
  const changed = until ? changing(ctx, { handler: 'person', handlerUntil: until }) : ctx;
  return replies.length === 0 ? stop(changed, reason) : answer(changed, reason, replies);
}
