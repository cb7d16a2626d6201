/** How smoothly a crowd is served: by all tries, and never by nothing. */
import { expect, it } from 'vitest';
import type { Acked } from '../../../tools/fault/load/order.ts';
import { ackP99Of, judgeHerd } from '../../../tools/fault/runs/herd-judgement.ts';

const moments = [
  { name: 'cold', atMs: 1_000, mayMs: 100 },
  { name: 'fallen', atMs: 2_000, mayMs: 5_000 },
];

function acked(firstMs: number, waitedMs: number, tries = 1): Acked {
  const rest = { id: '', kind: 'message', target: 0, from: '', n: 1, sha: '', port: 1 } as const;
  return { ...rest, firstMs, ackedMs: firstMs + waitedMs, tries };
}

const usual = { lookUps: 3, mayLookUp: 4, refused: 2, dropped: [4, 4] };

it('counts the waits of those who had to try again', () => {
  const p99Ms = ackP99Of([acked(1_100, 20), acked(1_200, 300, 4), acked(2_000, 4_000, 5)], moments);
  expect(p99Ms).toEqual({ cold: 300, fallen: 4_000 });
  expect(judgeHerd({ moments, p99Ms, ...usual })).toEqual(['after "cold" webhooks waited 300 ms for their 200 (p99)']);
});

it('takes no sample for no proof', () => {
  const p99Ms = ackP99Of([acked(1_100, 20)], moments);
  expect(p99Ms).toEqual({ cold: 20, fallen: null });
  expect(judgeHerd({ moments, p99Ms, ...usual, lookUps: null })).toEqual([
    'after "fallen" no webhook was acknowledged: that proves nothing',
    'no account was ever looked up: that proves nothing',
  ]);
});

it('takes no outage and no drop that nobody felt', () => {
  const p99Ms = { cold: 20, fallen: 20 };
  expect(judgeHerd({ moments, p99Ms, ...usual, refused: 0, dropped: [4, 0] })).toHaveLength(2);
});

it('counts look-ups', () => {
  const p99Ms = { cold: 20, fallen: 20 };
  expect(judgeHerd({ moments, p99Ms, ...usual })).toEqual([]);
  expect(judgeHerd({ moments, p99Ms, ...usual, lookUps: 5 })).toHaveLength(1);
});
