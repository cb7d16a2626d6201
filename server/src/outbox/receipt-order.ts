/**
 * Receipts come in any order; a message moves forward only: queued < sent < delivered < read < played. `failed` counts
 * only while nothing shows that it arrived, and what shows that it arrived outweighs a `failed`.
 */
import type { StatusType } from '@switchyard/contract';
import type { MessageStatus } from '#conversations';

const rank = { sent: 1, delivered: 2, read: 3, played: 4 } as const;
export type ForwardStatus = keyof typeof rank;

/** What a status event says about the message, or null where it says nothing about its way to the customer. */
export function claimOf(type: StatusType): ForwardStatus | 'failed' | null {
  switch (type) {
    case 'sent':
    case 'delivered':
    case 'read':
    case 'played':
    case 'failed':
      return type;
    // Taken by the provider: as much as its answer to the request says.
    case 'accepted':
      return 'sent';
    case 'deleted':
    case 'unknown':
      return null;
    default: {
      const never: never = type;
      return never;
    }
  }
}

/** Does the message move? `current` may be any status that an outbound message can have. */
export function isForward(current: MessageStatus, claim: ForwardStatus | 'failed'): boolean {
  if (claim === 'failed') return rankOf(current) < rank.delivered && current !== 'failed';
  if (current === 'failed') return rank[claim] >= rank.delivered;
  return rank[claim] > rankOf(current);
}

/** The statuses from which this claim moves a message: the same rule, as a list for a statement over many rows. */
export function statusesBefore(claim: ForwardStatus): readonly MessageStatus[] {
  return outboundStatuses.filter((status) => isForward(status, claim));
}

const outboundStatuses: readonly MessageStatus[] = [
  'queued',
  'uncertain',
  'sent',
  'delivered',
  'read',
  'played',
  'failed',
];

function rankOf(status: MessageStatus): number {
  return status in rank ? rank[status as ForwardStatus] : 0;
}
