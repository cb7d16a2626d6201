/** What a step kind is: a file beside this one, and a line in the table. Everything in it is pure. */
import type { OutboundContent } from '@switchyard/contract';
import type { z } from 'zod';
import type { FlowEffect, FlowFacts, FlowState, Need, Offer } from '../flow.ts';
import type { Placeholders } from '../texts/index.ts';

export type Vars = FlowState['vars'];

export interface StepContext {
  /** The step's own name in its flow. */
  readonly id: string;
  readonly facts: FlowFacts;
  readonly vars: Vars;
  /** A text by key, the flow's own first, in the customer's language. */
  say(key: string, placeholders?: Placeholders): string;
}

export type Outcome =
  /** Stands here until the customer answers. */
  | {
      readonly kind: 'wait';
      readonly sends: readonly OutboundContent[];
      readonly offered?: readonly Offer[];
      readonly vars?: Vars;
      readonly effects?: readonly FlowEffect[];
    }
  /** Walks on. `lead` is said at the head of the next message. */
  | {
      readonly kind: 'go';
      readonly to: string;
      readonly lead?: string;
      readonly vars?: Vars;
      readonly collected?: Readonly<Record<string, string>>;
    }
  /** Asks again with these words at the head; not counted against the customer. */
  | { readonly kind: 'again'; readonly lead: string }
  | { readonly kind: 'needs'; readonly need: Need }
  | { readonly kind: 'not-understood' };

export interface StepKind<Step> {
  /** An object with `kind` as literal; parses one step of a definition. */
  readonly schema: z.ZodType<Step>;
  /** Other steps that it may lead to: they must be there. */
  targets(step: Step): readonly string[];
  /** Keys of texts that it says: they must be there. */
  textKeys(step: Step): readonly string[];
  /** Does it wait for the customer? A ring of steps that do not is refused when the flow is parsed. */
  readonly doesWait: boolean;
  enter(step: Step, ctx: StepContext): Outcome;
  /** A choice that this step once offered (`value` of `choiceId`), perhaps long ago. */
  pick?(step: Step, value: string, ctx: StepContext): Outcome;
  /** Plain text while the flow stands here. */
  hear?(step: Step, text: string, ctx: StepContext): Outcome;
}

/** The id of a choice names the step that takes it up, so that a button tapped a day later still works. */
export function choiceId(stepId: string, value: string): string {
  return `${stepId}:${value}`;
}

export function parseChoiceId(id: string): { readonly stepId: string; readonly value: string } | undefined {
  const colon = id.indexOf(':');
  return colon < 1 ? undefined : { stepId: id.slice(0, colon), value: id.slice(colon + 1) };
}
