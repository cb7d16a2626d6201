/**
 * The door of the pipeline: one inbound message in, all its effects in the caller's transaction.
 *
 * The inbox calls `handleTurn` with the conversation locked (leased to this worker, its epoch checked in the same
 * transaction) and settles the event in that transaction, whatever the outcome says.
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

export interface Pipeline {
  handleTurn(tx: WorkspaceTx, input: TurnInput): Promise<TurnOutcome>;
}
