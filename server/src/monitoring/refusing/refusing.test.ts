import type { RefusalReason } from '@switchyard/contract';
import { expect, it } from 'vitest';
import { isOver, isWorthTelling, judgeRefusals, lengthen, type Refusal, refusingLimits } from './refusing.ts';

const { briefMs, calmMs, overAfterMs } = refusingLimits;
const span = (lastMs: number, reasons: readonly RefusalReason[] = ['database']) => ({ beganMs: 0, lastMs, reasons });

it.each<[string, number, boolean, boolean]>([
  ['goes on with the next refusal', 1_000, false, true],
  ['that nobody was told of ends with the first quiet', overAfterMs + 1, false, false],
  ['that somebody was told of goes on through it', overAfterMs + 1, true, true],
  ['that somebody was told of ends with the calm', calmMs + 1, true, false],
])('a span %s', (_name, nowMs, isTold, goesOn) => {
  expect(lengthen(span(0), ['disk'], { nowMs, isTold })).toEqual(
    goesOn ? { beganMs: 0, lastMs: nowMs, reasons: ['disk', 'database'] } : null,
  );
});

it('is over some time after the last refusal', () => {
  expect([overAfterMs - 1, overAfterMs].map((nowMs) => isOver(span(0), nowMs))).toEqual([false, true]);
});

it('is worth telling at once, but for a database that is away for a moment', () => {
  expect([span(0), span(briefMs - 1), span(briefMs)].map(isWorthTelling)).toEqual([false, false, true]);
  for (const reason of ['disk', 'backlog', 'event-loop'] as const)
    expect(isWorthTelling(span(0, ['database', reason]))).toBe(true);
});

const now = new Date('2026-03-01T12:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const refusal = (facts: Partial<Refusal>): Refusal => ({
  ...{ id: 'a', reasons: ['disk'], beganAt: ago(60_000), lastAt: ago(1_000), isOver: false, isTold: true },
  ...facts,
});
const judge = (refusals: readonly Refusal[], aliveMsAgo = 0) =>
  judgeRefusals({ now, aliveAt: ago(aliveMsAgo), refusals });

it('is one incident of all processes: since the first began, until the last is over', () => {
  const over = refusal({ id: 'b', isOver: true, lastAt: ago(20_000), beganAt: ago(90_000), reasons: ['event-loop'] });
  const facts = { reasons: 'disk, event-loop', since: ago(90_000).toISOString() };
  expect(judge([refusal({}), over])).toEqual({ kind: 'refusing', isNews: false, facts: { ...facts, until: null } });
  const both = judge([refusal({ isOver: true }), over]);
  expect(both).toMatchObject({ facts: { ...facts, until: ago(1_000).toISOString() } });
});

it('ends when webhooks were taken for long enough, by somebody who is alive, and not by time alone', () => {
  const last = refusal({ lastAt: ago(calmMs) });
  expect(judge([refusal({ lastAt: ago(calmMs - 1) })]).kind).toBe('refusing');
  expect(judge([last]).kind).toBe('over');
  expect(judge([last], calmMs).kind).toBe('waiting');
  expect(judgeRefusals({ now, aliveAt: null, refusals: [last] }).kind).toBe('waiting');
  expect(judge([]).kind).toBe('none');
});

it('is told though it was over before anybody could be told', () => {
  const late = refusal({ isTold: false, isOver: true, lastAt: ago(3_600_000), beganAt: ago(7_200_000) });
  expect(judge([late])).toMatchObject({
    kind: 'refusing',
    isNews: true,
    facts: { until: ago(3_600_000).toISOString() },
  });
});

it('names a gap in the signs of life only where nothing more is known', () => {
  const away = refusal({ reasons: ['away'] });
  expect(judge([away])).toMatchObject({ facts: { reasons: 'away' } });
  expect(judge([away, refusal({ reasons: ['database'] })])).toMatchObject({ facts: { reasons: 'database' } });
});
