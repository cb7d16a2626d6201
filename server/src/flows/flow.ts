/**
 * The words of flows: what a flow is told, what it knows, what it wants done.
 *
 * A conversation's state in a flow. It stands on one step that waits for the customer. What comes in is a choice (a
 * tapped button, a number, a title) that some step takes up, or a shortcut word, or plain text for the step it stands
 * on; steps that do not wait are walked through in the same turn, until one waits again. What nothing understands is
 * counted in `misses`; after `misunderstood.limit` in a row the flow goes to a person, so that two machines can never
 * keep each other talking.
 */
import type { Choice, MessageType, OutboundContent } from '@switchyard/contract';
import { z } from 'zod';
import type { Capabilities } from '#channels';
import type { Category, Product, ProductPage } from '#commerce';

/** What the customer did. */
export type FlowEvent =
  /** Nothing said yet: came in by an advertisement or a link. */
  | { readonly kind: 'started' }
  | { readonly kind: 'said'; readonly text: string; readonly choiceId?: string }
  /** Something that is not text: a picture, a place. */
  | { readonly kind: 'sent'; readonly type: MessageType };

/** What a step must know before it can speak; the caller loads it and calls `advance` again. */
export type Need =
  | { readonly kind: 'categories' }
  | { readonly kind: 'productPage'; readonly categoryId: string; readonly page: number; readonly size: number }
  | { readonly kind: 'product'; readonly productId: string };

/** What has been loaded so far; absent: not asked for yet. Keys by `needKey`. */
export interface CatalogueFacts {
  readonly categories?: readonly Category[];
  readonly productPages?: Readonly<Record<string, ProductPage>>;
  readonly products?: Readonly<Record<string, Product | null>>;
}

export interface FlowFacts {
  /** ISO 8601, UTC. */
  readonly now: string;
  readonly language: string;
  readonly contactName: string | null;
  readonly shopName: string;
  readonly capabilities: ShowingCapabilities;
  readonly catalogue: CatalogueFacts;
}

export type ShowingCapabilities = Pick<
  Capabilities,
  'sends' | 'maxButtons' | 'maxListRows' | 'maxButtonTitleLength' | 'maxTextLength'
>;

export type FlowEffect =
  | { readonly kind: 'send'; readonly content: OutboundContent }
  /** A person takes over; the bot is silent for so long. */
  | { readonly kind: 'handover'; readonly hours: number };

const choiceSchema = z.object({ id: z.string(), title: z.string() });

const stateSchema = z.object({
  flow: z.string(),
  version: z.number(),
  /** The step it stands on. */
  step: z.string(),
  /** What the way here chose: `category`, `page`, `product`. */
  vars: z.record(z.string(), z.string()),
  /** Answers of `collect` steps. */
  collected: z.record(z.string(), z.string()),
  /** What was shown last, in its order: a number or a title refers to these. */
  offered: z.array(choiceSchema).readonly(),
  misses: z.number(),
  /** When it was last moved; ISO 8601, UTC. */
  at: z.string(),
});

export type FlowState = z.infer<typeof stateSchema>;

/** The state out of a session; null where there is none, or one of another shape (then the flow starts anew). */
export function parseFlowState(value: unknown): FlowState | null {
  const parsed = stateSchema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

export type Advance =
  | { readonly kind: 'done'; readonly state: FlowState; readonly effects: readonly FlowEffect[] }
  | { readonly kind: 'needs'; readonly need: Need };

export type Offer = Pick<Choice, 'id' | 'title'>;

export function needKey(need: Need): string {
  switch (need.kind) {
    case 'categories':
      return 'categories';
    case 'productPage':
      return `${need.categoryId}/${need.page}/${need.size}`;
    case 'product':
      return need.productId;
    default: {
      const never: never = need;
      return never;
    }
  }
}
