/** What the provider can do to a send, as rules of the stand-in's control API. */
import type { StandIn } from '../stage/stand-in.ts';

export const providerFaults = {
  'limit with a time': { kind: 'rate_limited', retryAfter: 1 },
  'limit with a date': { kind: 'rate_limited', retryAfter: 'date', milliseconds: 1_000 },
  'limit without a time': { kind: 'rate_limited' },
  'error before acceptance': { kind: 'server_error', when: 'before', status: 503 },
  'error after acceptance': { kind: 'server_error', when: 'after', status: 500 },
  'reset before acceptance': { kind: 'reset', when: 'before' },
  'reset after acceptance': { kind: 'reset', when: 'after' },
  'no answer before acceptance': { kind: 'timeout', when: 'before', milliseconds: 5_000 },
  'no answer after acceptance': { kind: 'timeout', when: 'after', milliseconds: 5_000 },
  'slow drip': { kind: 'slow_drip', milliseconds: 1_000 },
  '200 with an error': { kind: 'ok_with_error', code: '131000' },
  'another id': { kind: 'wrong_id' },
  'cut short': { kind: 'truncated' },
  'a huge answer': { kind: 'huge', bytes: 20 * 1024 * 1024 },
  'a page instead': { kind: 'html' },
  'an empty answer': { kind: 'empty' },
  '202 without an id': { kind: 'accepted_202' },
  'receipts before the answer': { kind: 'receipt_first' },
} as const;

export type ProviderFaultName = keyof typeof providerFaults;
export const providerFaultNames = Object.keys(providerFaults) as readonly ProviderFaultName[];

/** Strikes the next `times` sends, after those that are ordered already. */
export async function order(standIn: StandIn, name: ProviderFaultName, times: number): Promise<void> {
  const rule = { ...providerFaults[name], operation: 'send', times };
  await standIn.control('PUT', 'faults', { append: true, rules: [rule] });
}

export async function lift(standIn: StandIn): Promise<void> {
  await standIn.control('DELETE', 'faults', {});
}
