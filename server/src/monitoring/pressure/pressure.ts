/**
 * How hard the server is pressed, as a rule: facts in, what is held back out. Pure.
 *
 * Under pressure the lanes that can wait are held first, campaigns before all; what customers wait for goes on to the
 * last. Only what takes away the place to store a delivery, or the time to answer at all, ends in 503.
 */
import type { Lane } from '#outbox';

/** What is measured, now and then; null: it cannot be seen from here. */
export interface PressureFacts {
  /** Room on the disk that holds the embedded database, in bytes. */
  readonly freeBytes: number | null;
  /** How long the oldest delivery has waited to be normalised. */
  readonly backlogAgeMs: number | null;
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
  // An old backlog is no reason to refuse what can be stored: some providers do not come again.
  { fact: 'backlogAgeMs', marks: marksOf([5_000, 15_000, 30_000, 120_000, null]) },
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
  /** The facts that ask for it, in words of the log: name and figure. */
  readonly reasons: readonly string[];
}

export const noPressure: Pressure = { step: null, reasons: [] };

/**
 * The hardest step that any fact asks for. A step that was taken is left only when its figure is a quarter better than the
 * mark, so that it does not flicker.
 */
export function pressureOf(facts: PressureFacts, before: Pressure): Pressure {
  for (const step of pressureSteps.toReversed()) {
    const wasTaken = before.step !== null && rankOf(before.step) >= rankOf(step);
    const reasons = watermarks.flatMap((watermark) => reasonOf(watermark, { facts, step, wasTaken }));
    if (reasons.length > 0) return { step, reasons };
  }
  return noPressure;
}

/** What two looks in a row agree on: a process that was stopped and goes on is not pressed. */
export function milderOf(one: PressureFacts, other: PressureFacts): PressureFacts {
  const lower = (a: number | null, b: number | null) => (a === null || b === null ? null : Math.min(a, b));
  return {
    freeBytes: one.freeBytes === null || other.freeBytes === null ? null : Math.max(one.freeBytes, other.freeBytes),
    backlogAgeMs: lower(one.backlogAgeMs, other.backlogAgeMs),
    statementMs: lower(one.statementMs, other.statementMs),
    loopDelayMs: Math.min(one.loopDelayMs, other.loopDelayMs),
  };
}

const ease = 0.75;

function reasonOf(
  { fact, isLow, marks }: Watermarks,
  { facts, step, wasTaken }: { readonly facts: PressureFacts; readonly step: PressureStep; readonly wasTaken: boolean },
): readonly string[] {
  const figure = facts[fact];
  const mark = marks[step];
  if (figure === null || mark === null) return [];
  const isOver = isLow ? figure < (wasTaken ? mark / ease : mark) : figure > (wasTaken ? mark * ease : mark);
  return isOver ? [`${fact} ${Math.round(figure)}`] : [];
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
