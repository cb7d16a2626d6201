/**
 * One move of a conversation through its flow: (state, event, facts) → (state, effects). Pure: the same arguments give
 * the same answer, nothing is changed, no clock and no chance. Where a step must know more of the catalogue the answer
 * is `needs`; the caller loads it, adds it to the facts and calls again with everything else as it was.
 */
import type { OutboundContent } from '@switchyard/contract';
import { assert } from '#kernel';
import { type Flow, type FlowDefinition, findStep } from './definition.ts';
import type { Advance, FlowEvent, FlowFacts, FlowState } from './flow.ts';
import { foldText } from './folding.ts';
import { matchOffer } from './match.ts';
import { clip, lengthOf, maxBodyLength } from './present.ts';
import { kindOf } from './steps/index.ts';
import { type Outcome, parseChoiceId, type StepContext } from './steps/step.ts';
import { fill, parseLanguage, type TextKey, texts } from './texts/index.ts';

/** More steps than this without a wait mean an empty catalogue between two steps that point at each other. */
const maxHops = 20;
const hourMs = 3_600_000;

interface Move {
  readonly flow: Flow;
  readonly facts: FlowFacts;
  readonly state: FlowState;
}

/** `state` null: a conversation that the flow has not met. */
export function advance(flow: Flow, state: FlowState | null, event: FlowEvent, facts: FlowFacts): Advance {
  const known = state ?? freshState(flow.definition, facts);
  const move = { flow, facts, state: known };
  if (event.kind === 'started') return walk(move, { kind: 'go', to: flow.definition.start });
  const chosen = event.kind === 'said' ? choose(move, event) : undefined;
  if (chosen && chosen.kind !== 'not-understood') return walk(move, chosen);
  if (state === null || isOver(flow.definition, state, facts))
    return walk(move, { kind: 'go', to: flow.definition.start });
  return hear(move, event);
}

/** A tapped choice, a number or title of what was offered last, or a shortcut word. */
function choose(move: Move, event: Extract<FlowEvent, { kind: 'said' }>): Outcome | undefined {
  const id = event.choiceId ?? matchOffer(event.text, move.state.offered)?.id;
  const picked = id === undefined ? undefined : pick(move, id);
  if (picked && picked.kind !== 'not-understood') return picked;
  const shortcut = move.flow.shortcuts.get(foldText(event.text));
  return shortcut === undefined ? undefined : { kind: 'go', to: shortcut, vars: {} };
}

function pick(move: Move, id: string): Outcome | undefined {
  const choice = parseChoiceId(id);
  const step = choice && findStep(move.flow.definition, choice.stepId);
  return step && kindOf(step).pick?.(step, choice.value, contextOf(move, choice.stepId, move.state.vars));
}

function hear(move: Move, event: Exclude<FlowEvent, { kind: 'started' }>): Advance {
  const { definition } = move.flow;
  const step = findStep(definition, move.state.step);
  if (step === undefined)
    return walk(move, { kind: 'go', to: definition.home, vars: {}, lead: sayIn(move, 'restarted') });
  if (event.kind === 'sent') return misunderstand(move, sayIn(move, 'media'));
  const ctx = contextOf(move, move.state.step, move.state.vars);
  const outcome = kindOf(step).hear?.(step, event.text, ctx) ?? { kind: 'not-understood' };
  return outcome.kind === 'not-understood'
    ? misunderstand(move, sayIn(move, definition.misunderstood.text))
    : walk(move, outcome);
}

/** Says so and asks again; too often in a row, a person takes over. */
function misunderstand(move: Move, lead: string): Advance {
  const { limit, next } = move.flow.definition.misunderstood;
  const misses = move.state.misses + 1;
  const counted = { ...move, state: { ...move.state, misses } };
  const moved =
    misses >= limit
      ? walk(counted, { kind: 'go', to: next })
      : walk(counted, { kind: 'go', to: move.state.step, vars: move.state.vars, lead });
  if (moved.kind === 'needs') return moved;
  return { ...moved, state: { ...moved.state, misses: misses >= limit ? 0 : misses } };
}

/** Follows outcomes until a step waits, or needs to know something. */
function walk(move: Move, first: Outcome): Advance {
  let outcome = first;
  let here = move.state.step;
  let vars = move.state.vars;
  let collected = move.state.collected;
  const leads: string[] = [];
  for (let hop = 0; hop < maxHops; hop += 1) {
    if (outcome.kind === 'needs') return { kind: 'needs', need: outcome.need };
    if (outcome.kind === 'wait') {
      const state = stateAt(move, here, { vars: outcome.vars ?? vars, collected, offered: outcome.offered ?? [] });
      return { kind: 'done', state, effects: effectsOf(outcome, leads, move.facts) };
    }
    assert(outcome.kind !== 'not-understood', 'a step that is entered knows what to do');
    if (outcome.lead !== undefined) leads.push(outcome.lead);
    if (outcome.kind === 'go') {
      here = outcome.to;
      vars = outcome.vars ?? vars;
      collected = { ...collected, ...outcome.collected };
    }
    const step = findStep(move.flow.definition, here);
    assert(step !== undefined, `a parsed flow holds the step ${here}`);
    outcome = kindOf(step).enter(step, contextOf(move, here, vars));
  }
  return endInPlace(move, leads);
}

/** Nothing to show anywhere: what was said on the way, and the conversation stays where it was. */
function endInPlace(move: Move, leads: readonly string[]): Advance {
  const text = leads[0] ?? sayIn(move, 'fallback');
  return {
    kind: 'done',
    state: { ...move.state, at: move.facts.now },
    effects: [{ kind: 'send', content: { type: 'text', text: clip(text, move.facts.capabilities.maxTextLength) } }],
  };
}

function effectsOf(
  outcome: Extract<Outcome, { kind: 'wait' }>,
  leads: readonly string[],
  facts: FlowFacts,
): Extract<Advance, { kind: 'done' }>['effects'] {
  const sends = withLead(outcome.sends, leads, facts.capabilities.maxTextLength);
  return [...sends.map((content) => ({ kind: 'send', content }) as const), ...(outcome.effects ?? [])];
}

/** What was said on the way stands at the head of the first message; where it does not fit, it goes alone. */
function withLead(
  sends: readonly OutboundContent[],
  leads: readonly string[],
  maxTextLength: number,
): readonly OutboundContent[] {
  if (leads.length === 0) return sends;
  const lead = leads.join('\n\n');
  const [first, ...rest] = sends;
  const room = first?.type === 'text' ? maxTextLength : maxBodyLength;
  const hasText = first !== undefined && 'text' in first;
  if (hasText && lengthOf(lead) + lengthOf(first.text) + 2 <= room)
    return [{ ...first, text: `${lead}\n\n${first.text}` }, ...rest];
  return [{ type: 'text', text: clip(lead, maxTextLength) }, ...sends];
}

function contextOf(move: Move, id: string, vars: FlowState['vars']): StepContext {
  return {
    id,
    facts: move.facts,
    vars,
    say: (key, placeholders) => sayIn(move, key, placeholders),
  };
}

function sayIn(move: Move, key: string, placeholders: Readonly<Record<string, string>> = {}): string {
  const { facts, flow } = move;
  const language = parseLanguage(facts.language) ?? 'en';
  const own = flow.definition.texts;
  const builtIn = (of: typeof language) => (Object.hasOwn(texts[of], key) ? texts[of][key as TextKey] : undefined);
  const template =
    own[language]?.[key] ??
    builtIn(language) ??
    own.en?.[key] ??
    builtIn('en') ??
    Object.values(own).find((words) => words[key] !== undefined)?.[key];
  assert(template !== undefined, `a parsed flow holds the text ${key}`);
  return fill(template, { name: nameOf(facts), shop: facts.shopName, ...placeholders });
}

/** With its space before it, so that a text reads well without a name. One line, not too long. */
function nameOf(facts: FlowFacts): string {
  const name = facts.contactName?.replace(/[\s\p{C}]+/gu, ' ').trim() ?? '';
  return name === '' ? '' : ` ${clip(name, 40)}`;
}

function stateAt(move: Move, step: string, standing: Pick<FlowState, 'vars' | 'collected' | 'offered'>): FlowState {
  const { name, version } = move.flow.definition;
  return {
    flow: name,
    version,
    step,
    vars: standing.vars,
    collected: standing.collected,
    offered: standing.offered,
    misses: 0,
    at: move.facts.now,
  };
}

function freshState(definition: FlowDefinition, facts: FlowFacts): FlowState {
  return {
    flow: definition.name,
    version: definition.version,
    step: definition.start,
    vars: {},
    collected: {},
    offered: [],
    misses: 0,
    at: facts.now,
  };
}

function isOver(definition: FlowDefinition, state: FlowState, facts: FlowFacts): boolean {
  return Date.parse(facts.now) - Date.parse(state.at) > definition.sessionHours * hourMs;
}
