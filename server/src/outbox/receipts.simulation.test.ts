/** The receipts of one sent message, in whatever order and however often they come. */
import { type StatusType, statusTypes } from '@switchyard/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MessageStatus } from '#conversations';
import { judge, keep, simulate } from '../../test/support/simulation.ts';
import type { OutboxState } from './outbox.ts';
import { settlingMove, statusAfter } from './receipt-effect.ts';
import { moves } from './states.ts';

interface Sent {
  state: OutboxState;
  status: MessageStatus;
}

const starts: readonly Sent[] = [
  { state: 'sending', status: 'queued' },
  { state: 'uncertain', status: 'uncertain' },
  { state: 'sent', status: 'sent' },
];
const schedules = fc.record({
  start: fc.constantFrom(...starts),
  receipts: fc.array(fc.constantFrom(...statusTypes), { minLength: 1, maxLength: 12 }),
  /** Where each goes in the other order. */
  order: fc.array(fc.nat(1_000), { minLength: 12, maxLength: 12 }),
  again: fc.array(fc.nat(11), { maxLength: 6 }),
});
const arrival: readonly string[] = ['delivered', 'read', 'played'];

function hear(start: Sent, receipts: readonly StatusType[], after = statusAfter): Sent {
  const attemptId = 'attempt';
  let sent = start;
  for (const type of receipts) {
    const known = { state: sent.state, status: sent.status, attemptId };
    const move = settlingMove(known, type, attemptId);
    const settled = move === 'evidence' && !arrival.includes(sent.status) ? 'sent' : sent.status;
    const status = after(known, type, { attemptId, isSettled: move !== null }) ?? settled;
    keep(arrival.indexOf(status) >= arrival.indexOf(sent.status), 'what arrived does not go back');
    sent = { state: move ? moves[move].to : sent.state, status };
  }
  return sent;
}

function receiptsJudgedBy(after: typeof statusAfter) {
  return {
    schedules,
    play({ start, receipts, order, again }: typeof schedules extends fc.Arbitrary<infer T> ? T : never) {
      const end = hear(start, receipts, after);
      const doubled = [...receipts, ...again.flatMap((at) => receipts[at] ?? [])];
      const shuffled = doubled
        .map((type, index) => ({ type, at: order[index % order.length]! }))
        .sort((a, b) => a.at - b.at)
        .map(({ type }) => type);
      const other = hear(start, shuffled, after);
      const best = arrival.findLast((status) => (receipts as readonly string[]).includes(status));
      if (!best) return;
      keep(
        end.status === best && other.status === best,
        'in any order, however often, the farthest that it came stands',
      );
      keep(end.state === 'sent' && other.state === 'sent', 'what arrived was sent');
    },
  };
}

simulate('receipts come to the same end in any order and however often', 5_000, receiptsJudgedBy(statusAfter));

test('a late failure that undoes an arrival is caught', async () => {
  const bug: typeof statusAfter = (found, type, how) => (type === 'failed' ? 'failed' : statusAfter(found, type, how));
  expect(await judge(receiptsJudgedBy(bug), { seed: 1, runs: 5_000 })).toMatchObject({ kind: 'broken' });
});
