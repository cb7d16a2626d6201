import type { IncidentId } from '@switchyard/contract';
import { describe, expect, it } from 'vitest';
import { decide, type Finding } from './incidents.ts';

const finding = (subject: string, quiet = 1): Finding => ({ subject, accountId: null, facts: { quiet } });
const open = (subject: string) => ({ ...finding(subject), id: `id of ${subject}` as IncidentId });

describe('an incident', () => {
  it.each([
    ['opens when something is found', [], [finding('a')], { opened: ['a'], continued: [], resolved: [] }],
    [
      'opens once, however often it is found in a look',
      [],
      [finding('a'), finding('a')],
      { opened: ['a'], continued: [], resolved: [] },
    ],
    ['goes on while it is found', [open('a')], [finding('a')], { opened: [], continued: ['a'], resolved: [] }],
    ['is resolved when it is no longer found', [open('a')], [], { opened: [], continued: [], resolved: ['a'] }],
    ['is one by its subject', [open('a')], [finding('b')], { opened: ['b'], continued: [], resolved: ['a'] }],
    ['is none when nothing is wrong', [], [], { opened: [], continued: [], resolved: [] }],
  ])('%s', (_name, known, found, expected) => {
    const decisions = decide(known, found);
    const subjects = (list: readonly Finding[]) => list.map(({ subject }) => subject);
    expect({
      opened: subjects(decisions.opened),
      continued: subjects(decisions.continued),
      resolved: subjects(decisions.resolved),
    }).toEqual(expected);
  });

  it('takes the newest facts while it goes on', () => {
    expect(decide([open('a')], [finding('a', 7)]).continued).toMatchObject([{ id: 'id of a', facts: { quiet: 7 } }]);
  });
});
