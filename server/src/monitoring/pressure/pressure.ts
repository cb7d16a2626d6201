/**
 * How hard the server is pressed, as a rule: facts in, what is held back out. Pure.
 *
 * Under pressure the lanes that can wait are held first, campaigns before all; what customers wait for goes on to the
 * last. What takes away the place to store a delivery, or the time to answer at all, ends in 503; and so does, far later, a
 * backlog that hardly anybody could still be answered from (docs/decisions/0014-when-webhooks-are-refused.md).
 */
import type { RefusalReason } from '@switchyard/contract';
import type { Lane } from '#outbox';

/** What is measured, now and then; null: it cannot be seen from here. */
export interface PressureFacts {
  /** Room on the disk that holds the embedded database, in bytes. */
  readonly freeBytes: number | null;
  /** How long the oldest delivery has waited to be normalised. */
  readonly backlogAgeMs: number | null;
  /** How long deliveries wait everywhere: in half of the queues at least as long, or before all queues. */
  readonly wideBacklogAgeMs: number | null;
  /** How long one small statement took, with its wait for a connection. null: nobody answered, which has its own 503. */
  readonly statementMs: number | null;
  /** How long the event loop kept others waiting, as a rule (median): one long stall is no pressure. */
  readonly loopDelayMs: number;
}

/** In the order in which they come: each step holds what is named, and all before it. */
export const pressureSteps = ['migration-copy', 'campaign', 'backlog', 'reminder', 'refuse'] as const;
export type PressureStep = (typeof pressureSteps)[number];

const mebibyte = 1024 * 1024;

/** From which figure on a step is taken, in the order of `pressureSteps`. */
interface Watermarks {
  readonly fact: keyof PressureFacts;
  readonly isLow?: true;
  readonly marks: Readonly<Record<PressureStep, number | null>>;
}

export const watermarks: readonly Watermarks[] = [
  { fact: 'freeBytes', isLow: true, marks: marksOf([4_096, 2_048, 1_024, 512, 256], mebibyte) },
  // One queue that stands still is no reason to refuse what everybody else sends.
  { fact: 'backlogAgeMs', marks: marksOf([5_000, 15_000, 30_000, 120_000, null]) },
  // The day in which a customer may be answered freely is over. Some providers do not come again: far from the others.
  { fact: 'wideBacklogAgeMs', marks: marksOf([null, null, null, null, 24 * 3_600_000]) },
  { fact: 'statementMs', marks: marksOf([125, 250, 500, 1_500, 6_000]) },
  { fact: 'loopDelayMs', marks: marksOf([25, 50, 100, 300, 2_000]) },
];

type Mark = number | null;

/** One for each step, in their order. */
function marksOf(figures: readonly [Mark, Mark, Mark, Mark, Mark], unit = 1): Watermarks['marks'] {
  const marks = pressureSteps.map((step, index) => [step, (figures[index] ?? null) && figures[index]! * unit] as const);
  return Object.fromEntries(marks) as Watermarks['marks'];
}

export interface Pressure {
  readonly step: PressureStep | null;
  /** The facts that ask for it. */
  readonly facts: readonly (keyof PressureFacts)[];
  /** The same in words of the log: name and figure. */
  readonly reasons: readonly string[];
}

export const noPressure: Pressure = { step: null, facts: [], reasons: [] };

/**
 * The hardest step that any fact asks for. A step that was taken is left only when its figure is a quarter better than the
 * mark, so that it does not flicker.
 */
export function pressureOf(facts: PressureFacts, before: Pressure): Pressure {
  for (const step of pressureSteps.toReversed()) {
    const wasTaken = before.step !== null && rankOf(before.step) >= rankOf(step);
    const over = watermarks.filter((watermark) => isOver(watermark, { facts, step, wasTaken })).map(({ fact }) => fact);
    const reasons = over.map((fact) => `${fact} ${Math.round(facts[fact] ?? 0)}`);
    if (over.length > 0) return { step, facts: over, reasons };
  }
  return noPressure;
}

/** What two looks in a row agree on: a process that was stopped and goes on is not pressed. */
export function milderOf(one: PressureFacts, other: PressureFacts): PressureFacts {
  const lower = (a: number | null, b: number | null) => (a === null || b === null ? null : Math.min(a, b));
  return {
    freeBytes: one.freeBytes === null || other.freeBytes === null ? null : Math.max(one.freeBytes, other.freeBytes),
    backlogAgeMs: lower(one.backlogAgeMs, other.backlogAgeMs),
    wideBacklogAgeMs: lower(one.wideBacklogAgeMs, other.wideBacklogAgeMs),
    statementMs: lower(one.statementMs, other.statementMs),
    loopDelayMs: Math.min(one.loopDelayMs, other.loopDelayMs),
  };
}

const ease = 0.75;

function isOver(
  { fact, isLow, marks }: Watermarks,
  { facts, step, wasTaken }: { readonly facts: PressureFacts; readonly step: PressureStep; readonly wasTaken: boolean },
): boolean {
  const figure = facts[fact];
  const mark = marks[step];
  if (figure === null || mark === null) return false;
  return isLow ? figure < (wasTaken ? mark / ease : mark) : figure > (wasTaken ? mark * ease : mark);
}

function rankOf(step: PressureStep): number {
  return pressureSteps.indexOf(step);
}

/** All that is done in lanes: messages on their way out, and the copying of a migration. */
export type WorkLane = Lane | 'migration-copy';

/**
 * In the order in which they are served, with the step from which on each waits: the lowest first. null: it goes on to the
 * last, since customers wait for it.
 */
export const laneTable = {
  reply: null,
  receipt: null,
  reminder: 'reminder',
  backlog: 'backlog',
  campaign: 'campaign',
  'migration-copy': 'migration-copy',
} as const satisfies Record<WorkLane, PressureStep | null>;

/** What waits until the pressure is over. */
export function heldWork({ step }: Pressure): readonly WorkLane[] {
  if (step === null) return [];
  return (Object.keys(laneTable) as WorkLane[]).filter((lane) => {
    const from = laneTable[lane];
    return from !== null && rankOf(from) <= rankOf(step);
  });
}

/** Of messages on their way out. */
export function heldLanes(pressure: Pressure): readonly Lane[] {
  return heldWork(pressure).filter((lane) => lane !== 'migration-copy');
}

/** The console's reads of many rows wait before the first deliveries are refused, and after what nobody waits for. */
export function slowsReads({ step }: Pressure): boolean {
  return step !== null && rankOf(step) >= rankOf('backlog');
}

export function refusesDeliveries({ step }: Pressure): boolean {
  return step === 'refuse';
}

const reasonOf = {
  freeBytes: 'disk',
  backlogAgeMs: 'backlog',
  wideBacklogAgeMs: 'backlog',
  statementMs: 'database',
  loopDelayMs: 'event-loop',
} as const satisfies Record<keyof PressureFacts, RefusalReason>;

/** Why deliveries are refused; none: they are not. */
export function whyRefused(pressure: Pressure): readonly RefusalReason[] {
  return refusesDeliveries(pressure) ? pressure.facts.map((fact) => reasonOf[fact]) : [];
}
