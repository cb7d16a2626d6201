import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge, keep, simulate } from '../../../test/support/simulation.ts';
import { moves } from '../states.ts';
import { type OutboxRow, ourRules, type Rules, SimulatedOutbox, type Step } from './outbox.simulation.ts';

const steps: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom<Step['kind'][]>(
    'queue',
    'claim',
    'walk',
    'walk',
    'walk',
    'kill',
    'cancel',
    'receipt',
    'sweep',
    'wait',
  ),
  draw: fc.nat(1_000_000),
});
const schedules = fc.array(steps, { minLength: 1, maxLength: 60, size: 'max' });

const arrival: readonly string[] = ['delivered', 'read', 'played'];

function outboxWith(rules: Rules) {
  return {
    schedules,
    play(schedule: readonly Step[]) {
      const world = new SimulatedOutbox(rules);
      world.take({ kind: 'queue', draw: schedule.length });
      for (const step of schedule) {
        const before = world.rows.map((row) => ({ row, state: row.state, status: row.messageStatus }));
        world.take(step);
        for (const { row, state, status } of before) checkMove(row, state, status);
      }
      world.rest();
      for (const row of world.rows) checkRest(row);
    },
  };
}

function checkMove(row: OutboxRow, state: string, status: string): void {
  checkCopies(row);
  keep(state !== 'sent' || row.state === 'sent', 'what was sent stays sent');
  const [was, is] = [arrival.indexOf(status), arrival.indexOf(row.messageStatus)];
  keep(is >= was, 'what arrived does not go back');
}

function checkCopies({ accepted, repeatRule }: OutboxRow): void {
  keep(accepted.slice(1).every(Boolean), 'a second copy leaves flagged as a possible duplicate');
  keep(accepted.length <= 1 || repeatRule === 'rather-twice', 'a never-twice message is taken once at most');
  keep(accepted.length <= 2, 'nothing is taken three times');
}

function checkRest(row: OutboxRow): void {
  checkCopies(row);
  keep(!['queued', 'claimed', 'sending'].includes(row.state), 'nothing is left lying');
  if (row.accepted.length === 0) {
    keep(row.messageStatus !== 'sent', 'what the provider never took is not shown as sent');
    return;
  }
  keep(row.state === 'sent', 'what the provider took is known as sent in the end');
  keep(row.messageStatus === 'read', 'and its last receipt counts');
}

describe('outbound messages under kills, freezes and lost answers', () => {
  simulate('are never taken twice unflagged, never go back, and come to rest', 10_000, outboxWith(ourRules));

  const planted: readonly (readonly [string, Partial<Rules>])[] = [
    [
      'a blind resend',
      { doubt: (message, ms) => ({ ...ourRules.doubt(message, ms), ...moves.retry, messageStatus: 'queued' }) },
    ],
    ['a repeat against the rule', { mayRepeat: (row) => !row.isPossibleDuplicate }],
    ['evidence that is not believed', { settlingMove: () => null }],
    ['a receipt that always counts', { statusAfter: (_found, type) => (type === 'sent' ? 'sent' : 'read') }],
    [
      'an uncertain answer taken for a no',
      {
        settlementOf: (message, outcome, facts) =>
          ourRules.settlementOf(
            message,
            outcome.kind === 'uncertain'
              ? { ...outcome, kind: 'unreachable', failure: { ...outcome.failure, retry: { kind: 'later' } } }
              : outcome,
            facts,
          ),
      },
    ],
  ];

  test.each(planted)('%s is caught, and comes back from its seed', async (_name, bug) => {
    const simulation = outboxWith({ ...ourRules, ...bug });
    const found = await judge(simulation, { seed: 7, runs: 4_000 });
    if (found.kind === 'kept') throw new Error('the planted bug was not caught');
    expect(found.replay).toMatch(/^SIMULATION=7\/[\d:]+$/);
    const again = await judge(simulation, { seed: found.seed, path: found.path, runs: 4_000 });
    expect(again).toMatchObject({ kind: 'broken', schedule: found.schedule, reason: found.reason });
    expect(await judge(outboxWith(ourRules), { seed: found.seed, path: found.path, runs: 1 })).toMatchObject({
      kind: 'kept',
    });
  });
});
