import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ConnectionAct,
  type ConnectionStatus,
  type ConnectionWish,
  connectionActs,
  connectionMoves,
  connectionStatuses,
  mayMove,
  planConnection,
} from './connection.ts';

const acts = Object.keys(connectionActs) as ConnectionAct[];
const status = fc.constantFrom(...connectionStatuses);
const wish: fc.Arbitrary<ConnectionWish> = fc.oneof(
  fc.record({ kind: fc.constant('act' as const), act: fc.constantFrom(...acts) }),
  fc.record({ kind: fc.constant('report' as const), status }),
);

describe('planConnection', () => {
  it.each([
    ['disconnected', 'connect', 'connecting'],
    ['error', 'connect', 'connecting'],
    ['connecting', 'connect', null],
    ['connected', 'connect', null],
    ['disconnected', 'disconnect', null],
    ['connecting', 'disconnect', 'disconnected'],
    ['connected', 'disconnect', 'disconnected'],
    ['error', 'disconnect', 'disconnected'],
  ] as const)('an account that is %s, asked to %s, becomes %s', (from, act, to) => {
    expect(planConnection(from, { kind: 'act', act })).toEqual(
      to === null ? { kind: 'forbidden', status: from } : { kind: 'moves', steps: [to] },
    );
  });

  it('goes only by moves of the table, whatever comes in whatever order', () => {
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 40 }), (wishes) => {
        let now: ConnectionStatus = 'disconnected';
        for (const one of wishes) {
          const plan = planConnection(now, one);
          if (plan.kind === 'forbidden') {
            expect(plan.status).toBe(now);
            continue;
          }
          for (const step of plan.steps) {
            expect(mayMove(now, step), `${now} to ${step}`).toBe(true);
            if (step === 'connected') expect(now).toBe('connecting');
            now = step;
          }
          if (one.kind === 'report') expect(now).toBe(one.status);
        }
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  it('takes a report that is repeated for no move, and none twice for one', () => {
    fc.assert(
      fc.property(status, status, (from, reported) => {
        const report = { kind: 'report', status: reported } as const;
        const plan = planConnection(from, report);
        expect(plan).toMatchObject({ kind: 'moves' });
        if (plan.kind !== 'moves') return;
        expect(new Set(plan.steps).size).toBe(plan.steps.length);
        expect(planConnection(plan.steps.at(-1) ?? from, report)).toEqual({ kind: 'moves', steps: [] });
      }),
      { seed: 4 },
    );
  });

  it('lets people ask only for moves of the table, and leaves no state without a way out', () => {
    for (const { from, to } of Object.values(connectionActs)) {
      for (const state of from) expect(mayMove(state, to)).toBe(true);
    }
    for (const state of connectionStatuses) {
      expect(connectionMoves[state].length).toBeGreaterThan(0);
      expect(acts.some((act) => planConnection(state, { kind: 'act', act }).kind === 'moves')).toBe(true);
    }
  });
});
