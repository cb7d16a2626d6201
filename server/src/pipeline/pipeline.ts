/**
 * The door of the pipeline: inbound messages in, all their effects in the caller's transaction.
 *
 * The inbox calls `handleTurns` with the conversations locked (leased to this worker, their epochs checked in the same
 * transaction) and settles the events in that transaction, whatever the outcomes say.
 */

import type { MessageEvent, TurnId } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { Capabilities } from '#channels';
import type { Conversation, StoredEvent } from '#conversations';
import type { WorkspaceTx } from '#storage';

export interface TurnInput {
  readonly turnId: TurnId;
  readonly stored: StoredEvent<MessageEvent>;
  readonly conversation: Conversation;
  readonly account: ServingAccount;
  readonly capabilities: Capabilities;
  readonly now: Date;
}

/** One middleware's word in the trace. */
export interface TurnStep {
  readonly name: string;
  readonly verdict: 'passed' | 'stopped' | 'answered';
  readonly detail?: string;
}

export type TurnOutcome =
  | { readonly kind: 'answered' | 'silent'; readonly reason: string; readonly steps: readonly TurnStep[] }
  /** Concerns a message that is not here yet (edit, delete, reaction): the inbox parks the event under this provider id. */
  | { readonly kind: 'waiting'; readonly waitKey: string; readonly steps: readonly TurnStep[] };

export interface HandledTurns {
  /** One a turn, in their order. */
  readonly outcomes: readonly TurnOutcome[];
  /** The statements are under way: to be awaited before the commit, so that others may go out together with them. */
  readonly written: Promise<unknown>;
}

export interface Pipeline {
  /**
   * The turns of different conversations together: each is decided by itself, all are written by a few statements. What
   * one turn throws undoes all of them; the caller tries each by itself then.
   */
  handleTurns(tx: WorkspaceTx, inputs: readonly TurnInput[]): Promise<HandledTurns>;
  /**
   * False for what locks more than its own conversation (an act on a message, an echo, a number that moves): two such in
   * one transaction could wait for each other, so each has one of its own.
   */
  mayShareTransaction(event: MessageEvent): boolean;
}
