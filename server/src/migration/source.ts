/**
 * What a legacy system must be able to tell, whichever it is. The engine that asks is not built yet; this is the door
 * that its sources are written to.
 */
export const sourceKinds = [
  'clinic-evolution',
  'twilio-bot',
  'meta-single-tenant',
  'laravel-sessions',
  'prisma-shop',
] as const;
export type SourceKind = (typeof sourceKinds)[number];

/** Something that `check` saw in a source, before anything is written. */
export interface SourceFinding {
  readonly severity: 'note' | 'warning' | 'blocker';
  /** Stable: `duplicate-phone-number`, `secret-in-clear`. */
  readonly code: string;
  readonly table: string;
  /** The source's own keys of the rows it is about; at most a hundred of them. */
  readonly rows: readonly string[];
  readonly detail: string;
}

/** Where a copy stands: saved in the transaction of its batch, so that it resumes at the exact row. */
export interface Checkpoint {
  readonly table: string;
  /** The last key that was copied; null before the first. */
  readonly afterKey: string | null;
  readonly copied: number;
  readonly rejected: number;
}
