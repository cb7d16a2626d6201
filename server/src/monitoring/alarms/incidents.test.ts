import type { IncidentId } from '@switchyard/contract';
import { describe, expect, it } from 'vitest';
import { decide, type Ending, type Finding, incidentLimits, type OpenIncident, type Part } from './incidents.ts';

const now = new Date('2026-03-01T12:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const part = (key: string, group = 'unpack'): Part => ({ key, group, atMs: now.getTime() });
const finding = (subject: string, quiet = 1, parts: readonly Part[] = []): Finding => ({
  ...{ subject, accountId: null, facts: { quiet } },
  ...(parts.length > 0 ? { parts } : {}),
});
const open = (subject: string): OpenIncident => ({
  ...{ subject, accountId: null, facts: { quiet: 1 }, openedAt: now, seen: { parts: [], toldMs: {} } },
  id: `id of ${subject}` as IncidentId,
});

describe('an incident', () => {
  it.each([
    ['opens when something is found', [], [finding('a')], { opened: ['a'], continued: [], ended: [] }],
    [
      'opens once, however often it is found in a look',
      [],
      [finding('a'), finding('a')],
      { opened: ['a'], continued: [], ended: [] },
    ],
    ['goes on while it is found', [open('a')], [finding('a')], { opened: [], continued: ['a'], ended: [] }],
    ['is resolved when it is no longer found', [open('a')], [], { opened: [], continued: [], ended: ['id of a'] }],
    ['is one by its subject', [open('a')], [finding('b')], { opened: ['b'], continued: [], ended: ['id of a'] }],
    ['is none when nothing is wrong', [], [], { opened: [], continued: [], ended: [] }],
  ])('%s', (_name, known, findings, expected) => {
    const { opened, continued, ended } = decide(known, { findings }, now);
    const subjects = (list: readonly Pick<Finding, 'subject'>[]) => list.map(({ subject }) => subject);
    expect({ opened: subjects(opened), continued: subjects(continued), ended: ended.map(({ id }) => id) }).toEqual(
      expected,
    );
    expect(ended.every(({ ending }) => ending === 'resolved')).toBe(true);
  });

  it('takes the newest facts while it goes on', () => {
    const { continued } = decide([open('a')], { findings: [finding('a', 7)] }, now);
    expect(continued).toMatchObject([{ id: 'id of a', facts: { quiet: 7 }, isNews: false }]);
  });

  it.each<[Ending, readonly Ending[]]>([
    ['resolved', ['resolved']],
    ['unwatched', ['unwatched']],
    ['open', []],
  ])('that was not found again ends as the look judges: %s', (ending, expected) => {
    const { ended } = decide([open('a')], { findings: [], endOf: () => ending }, now);
    expect(ended.map((one) => one.ending)).toEqual(expected);
  });
});

describe('of the parts of an incident', () => {
  /** Looks one after the other at one incident: which of them are news. */
  function newsOf(looks: readonly (readonly [afterMs: number, parts: readonly Part[]])[]): boolean[] {
    const [first, ...rest] = looks;
    const [opened] = decide([], { findings: [finding('a', 1, first?.[1])] }, now).opened;
    let incident: OpenIncident = { ...open('a'), ...opened! };
    return rest.map(([afterMs, parts]) => {
      const [next] = decide([incident], { findings: [finding('a', 1, parts)] }, later(afterMs)).continued;
      incident = next!;
      return next!.isNews;
    });
  }
  const minuteMs = 60_000;
  const { againMs, partsOfGroup } = incidentLimits;

  it.each<[string, readonly (readonly [number, readonly Part[]])[], readonly boolean[]]>([
    [
      'those that were told of are no news, however often they are seen',
      [1, 5, 10, 60, 600].map((minutes) => [minutes * minuteMs, [part('1'), part('2')]] as const),
      [false, false, false, false],
    ],
    [
      'another group is news at once, and once',
      [
        [0, [part('1')]],
        [minuteMs, [part('1'), part('v', 'vanished')]],
        [2 * minuteMs, [part('1'), part('v', 'vanished')]],
      ],
      [true, false],
    ],
    [
      'one more of a group is news once an hour at most, and is then not forgotten',
      [
        [0, [part('1')]],
        [5 * minuteMs, [part('1'), part('2')]],
        [10 * minuteMs, [part('1'), part('2'), part('3')]],
        [againMs, [part('1'), part('2'), part('3')]],
        [againMs + 5 * minuteMs, [part('1'), part('2'), part('3'), part('4')]],
        [2 * againMs, [part('1'), part('2'), part('3'), part('4')]],
        [3 * againMs, [part('1'), part('2'), part('3'), part('4')]],
      ],
      [false, false, true, false, true, false],
    ],
    [
      'fewer of them is none',
      [
        [0, [part('1'), part('2')]],
        [2 * againMs, [part('2')]],
      ],
      [false],
    ],
    [
      'a flood is told once: no more are kept by name than the limit',
      [1, 2, 3].map(
        (times) => [times * 2 * againMs, Array.from({ length: times * partsOfGroup }, (_, n) => part(`${n}`))] as const,
      ),
      [false, false],
    ],
  ])('%s', (_name, looks, expected) => {
    expect(newsOf(looks)).toEqual(expected);
  });
});
