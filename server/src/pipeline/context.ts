/**
 * What a middleware is given and gives back: the turn so far, never changed in place. Replies, consents and changes of
 * the conversation are gathered here and written once, after the last middleware (commit.ts), in the same transaction.
 */
import type { OutboundContent } from '@switchyard/contract';
import type { ConversationChange, NewConsent } from '#conversations';
import type { Language } from '#flows';
import type { WorkspaceTx } from '#storage';
import type { TurnInput, TurnStep } from './pipeline.ts';
import type { Session } from './session.ts';

export interface TurnContext {
  /** For reading only: what a middleware wants written it puts into this context. */
  readonly tx: WorkspaceTx;
  readonly input: TurnInput;
  /** False when a message of this provider id was here before. */
  readonly isNew: boolean;
  readonly language: Language;
  readonly session: Session;
  readonly replies: readonly OutboundContent[];
  readonly consents: readonly NewConsent[];
  readonly change: Omit<ConversationChange, 'session'>;
  readonly steps: readonly TurnStep[];
  /** Set by the middleware that ended the turn; null while it goes on. */
  readonly end: TurnEnd | null;
}

export interface TurnEnd {
  readonly kind: 'answered' | 'silent';
  readonly reason: string;
}

export type Next = (ctx: TurnContext, detail?: string) => Promise<TurnContext>;

/**
 * One named thing in a message's way. It calls `next` at most once, or ends the turn with `stop` or `answer`; after
 * `next` it may look at what came of it.
 */
export interface Middleware {
  readonly name: string;
  handle(ctx: TurnContext, next: Next): Promise<TurnContext>;
}

/** Ends the turn without a word. `reason` is stable: traces and statistics count by it. */
export function stop(ctx: TurnContext, reason: string): TurnContext {
  return { ...ctx, end: { kind: 'silent', reason } };
}

/** Ends the turn with replies, after those that are there already. */
export function answer(ctx: TurnContext, reason: string, replies: readonly OutboundContent[]): TurnContext {
  return { ...ctx, replies: [...ctx.replies, ...replies], end: { kind: 'answered', reason } };
}

export function changing(ctx: TurnContext, change: TurnContext['change']): TurnContext {
  return { ...ctx, change: { ...ctx.change, ...change } };
}
