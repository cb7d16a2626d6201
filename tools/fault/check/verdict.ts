/** From the counts to the eleven invariants (docs/reliability.md). Pure. */
import type { CountName } from './counts.ts';

export type Counts = Readonly<Record<CountName, number>>;

export interface Subjects {
  readonly acked: number;
  readonly deliveries: number;
  readonly turns: number;
  readonly took: number;
  readonly told: number;
  readonly heard: number;
  readonly answered: number;
  readonly limited: number;
}

export const invariantNames = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9', 'I10', 'I11'] as const;
export type InvariantName = (typeof invariantNames)[number];
/** null: there was nothing to judge by. */
export type Invariants = Readonly<Record<InvariantName, boolean | null>>;

export interface Evidence {
  readonly counts: Counts;
  readonly subjects: Subjects;
  readonly leakedRows: number;
  readonly secretsInLogs: number;
  readonly logLines: number;
  readonly isDrained: boolean;
}

export interface Totals {
  readonly lost: number;
  readonly doubleEffects: number;
  readonly doubleSends: number;
  readonly unflaggedDoubleSends: number;
  readonly uncertain: number;
  readonly outOfOrder: number;
  readonly crossed: number;
}

export function totalsOf({ counts }: Evidence): Totals {
  return {
    lost: Math.max(counts.notStored, counts.notHandled, counts.withoutTurn, counts.unanswered, counts.unsent),
    doubleEffects: counts.twinEvents + counts.twinTurns + counts.twinMessages + counts.strayReplies,
    doubleSends: counts.doubleSends,
    unflaggedDoubleSends: counts.unflaggedDoubleSends,
    uncertain: counts.uncertain,
    outOfOrder: counts.splitConversations + counts.turnsOutOfOrder + counts.repliesOutOfOrder + counts.sendsOutOfOrder,
    crossed: counts.crossedEvents + counts.crossedSends,
  };
}

export function invariantsOf(evidence: Evidence): Invariants {
  const { counts, subjects } = evidence;
  const totals = totalsOf(evidence);
  const judged = (subject: number, isKept: boolean) => (subject > 0 ? isKept : null);
  const none = (...names: CountName[]) => names.every((name) => counts[name] === 0);
  return {
    I1: judged(subjects.acked, none('notStored')),
    I2: judged(
      subjects.deliveries,
      none(
        ...(['openDeliveries', 'openEvents', 'endsWithoutReason', 'notHandled'] as const),
        ...(['withoutTurn', 'unanswered', 'unsent'] as const),
      ),
    ),
    I3: judged(subjects.turns, totals.doubleEffects === 0),
    I4: judged(subjects.took, none('unflaggedDoubleSends', 'unknownSends', 'claimedSends', 'deniedSends')),
    I5: judged(subjects.heard, totals.outOfOrder === 0),
    I6: judged(subjects.told, none('statusesBehind', 'statusesBackwards', 'untold', 'doubtedThoughTold')),
    I7: judged(subjects.deliveries, evidence.leakedRows === 0 && totals.crossed === 0),
    // Orders, invoices and migrated rows are nobody's work here yet.
    I8: null,
    I9: null,
    I10: judged(subjects.deliveries, evidence.isDrained && none('heldLeases')),
    I11: judged(evidence.logLines, evidence.secretsInLogs === 0),
  };
}
