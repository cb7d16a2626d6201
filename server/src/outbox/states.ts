/**
 * The states of an outbound message and every move between them; what they mean is told at the door (`outbox.ts`).
 *
 * A store moves a row only `WHERE state = ANY(from)`, with `from` taken from here, so this table is the whole life of a
 * message: what is not listed cannot happen. Evidence that a message went out (an answer, a receipt, an echo) is taken
 * from every state in which we thought otherwise: it is a fact, and sending again would be the second copy.
 */
import type { OutboxState } from './outbox.ts';

interface Move {
  readonly from: readonly OutboxState[];
  readonly to: OutboxState;
}

export const moves = {
  /** A dispatcher takes it up. */
  claim: { from: ['queued'], to: 'claimed' },
  /** Not now (a limit, a breaker, a stop, a lease that ran out): nothing has left. */
  release: { from: ['claimed'], to: 'queued' },
  /** The permit says no: nothing has left, no try was made. */
  forbid: { from: ['claimed'], to: 'refused' },
  /** Nobody wants it sent any more: the customer is erased. A dispatcher that holds it finds its mark refused. */
  cancel: { from: ['queued', 'claimed'], to: 'cancelled' },
  /** Committed before the request leaves. */
  mark: { from: ['claimed'], to: 'sending' },
  /** The provider gave an id. The later states: a late answer, after a sweep or a second thought. */
  sent: { from: ['sending', 'uncertain', 'queued', 'claimed'], to: 'sent' },
  /** The provider said no, for good. */
  refused: { from: ['sending', 'uncertain'], to: 'refused' },
  /** Surely not sent; try again later. */
  retry: { from: ['sending', 'uncertain'], to: 'queued' },
  /** Surely not sent, and tries or time are used up. */
  exhausted: { from: ['sending', 'uncertain'], to: 'dead' },
  /** Nobody can say. */
  doubt: { from: ['sending'], to: 'uncertain' },
  /** One more time, flagged as a possible duplicate: by the repeat rule, or by a person. */
  repeat: { from: ['uncertain'], to: 'queued' },
  /** A receipt or an echo of one of its tries. */
  evidence: { from: ['queued', 'claimed', 'sending', 'uncertain', 'refused', 'dead', 'cancelled'], to: 'sent' },
  /** A receipt that this try failed. */
  failedReceipt: { from: ['sending', 'uncertain'], to: 'refused' },
} as const satisfies Record<string, Move>;

export type MoveName = keyof typeof moves;
