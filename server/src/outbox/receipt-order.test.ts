import { fc, test as property } from '@fast-check/vitest';
import { statusTypes } from '@switchyard/contract';
import { expect, test } from 'vitest';
import type { MessageStatus } from '#conversations';
import { claimOf, isForward, statusesBefore } from './receipt-order.ts';

test.each([
  ['queued', 'sent', true],
  ['uncertain', 'delivered', true],
  ['sent', 'sent', false],
  ['sent', 'read', true],
  ['read', 'delivered', false],
  ['read', 'played', true],
  ['played', 'read', false],
  ['sent', 'failed', true],
  ['delivered', 'failed', false],
  ['failed', 'failed', false],
  ['failed', 'sent', false],
  ['failed', 'delivered', true],
] as const)('%s, then %s: moves is %s', (current, claim, moves) => {
  expect(isForward(current, claim)).toBe(moves);
});

test('what says nothing of the way to the customer makes no claim', () => {
  expect(statusTypes.filter((type) => claimOf(type) === null)).toEqual(['deleted', 'unknown']);
  expect(claimOf('accepted')).toBe('sent');
});

test('a read receipt up to a message moves what is not read yet', () => {
  expect([...statusesBefore('read')].sort()).toEqual(['delivered', 'failed', 'queued', 'sent', 'uncertain']);
});

const claims = fc.array(fc.constantFrom(...(['sent', 'delivered', 'read', 'played', 'failed'] as const)), {
  minLength: 1,
});

property.prop([claims])(
  'in whatever order receipts come, what arrived stays arrived and nothing goes back',
  (order) => {
    const rank = ['queued', 'failed', 'sent', 'delivered', 'read', 'played'];
    let status: MessageStatus = 'queued';
    let best = 0;
    for (const claim of order) {
      if (isForward(status, claim)) status = claim;
      if (claim !== 'failed') best = Math.max(best, rank.indexOf(claim));
      if (best >= rank.indexOf('delivered')) expect(rank.indexOf(status)).toBe(best);
    }
  },
);
