/** Who is told: an address of mail, or a webhook whose calls are signed by a secret of its own. */
import type { AlarmNoticeId, AlarmTargetId, IncidentId, WorkspaceId } from '@switchyard/contract';

export const targetKinds = ['email', 'webhook'] as const;
export type TargetKind = (typeof targetKinds)[number];

/** `worsened`: parts of an open incident that nobody was told of before. */
export type Occasion = 'opened' | 'worsened' | 'resolved' | 'unwatched' | 'test';

export interface AlarmTarget {
  readonly id: AlarmTargetId;
  readonly kind: TargetKind;
  readonly address: string;
  readonly createdAt: Date;
  readonly lastNotice: {
    readonly occasion: Occasion;
    readonly state: 'queued' | 'sent' | 'failed';
    readonly attempts: number;
    /** As Postgres writes it in JSON. */
    readonly at: string;
    readonly error: string | null;
  } | null;
}

/** One message to one target, as it is claimed. */
export interface Notice {
  readonly id: AlarmNoticeId;
  readonly workspaceId: WorkspaceId;
  readonly targetId: AlarmTargetId;
  readonly incidentId: IncidentId | null;
  readonly occasion: Occasion;
  /** Tries so far, this one with them. */
  readonly attempts: number;
  readonly createdAt: Date;
  readonly kind: TargetKind;
  readonly address: string;
  readonly secretSealed: Buffer | null;
}

/** A workspace tells at most so many. */
export const maxTargets = 20;

/**
 * Pauses before the second and every later try; then it has failed, and is shown so. A receiver that is being mended
 * overnight hears of it in the morning.
 */
export const retryPausesMs = [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000] as const;

/** null: no more. */
export function pauseAfter(attempts: number): number | null {
  return retryPausesMs[attempts - 1] ?? null;
}
