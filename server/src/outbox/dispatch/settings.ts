import { defaultSendTimeouts } from '#channels';

/** Times in milliseconds. Every limit of the dispatcher has its name here. */
export interface DispatchSettings {
  /** How long a claim holds before its mark. */
  readonly leaseMs: number;
  /** How long the outcome of a marked message may take before it counts as uncertain: longer than any send. */
  readonly sendingLeaseMs: number;
  readonly maxInFlight: number;
  readonly maxPerWorkspace: number;
  readonly maxPerAccount: number;
  /** Of workspaces that were served and still wait: among more than these, age decides who is next. */
  readonly maxServedRemembered: number;
  /** How often to look without a bell. */
  readonly pollMs: number;
  /** How long later messages of a conversation wait for an uncertain one. */
  readonly uncertainWaitMs: number;
  /** How long a receipt or an echo may take before the repeat rule speaks. */
  readonly settleMs: number;
  readonly sweepMs: number;
  readonly maxSwept: number;
  readonly maxMarksInBatch: number;
  readonly maxSettlementsInBatch: number;
  /** How long to go on trying to record an outcome while the database is away. */
  readonly maxRecordingMs: number;
  /** When account or consent cannot be looked up: until the next try, at first and at most. */
  readonly lookupRetryMs: number;
  readonly maxLookupRetryMs: number;
  /** All look-ups of strangers' numbers for one permit together; never more than a quarter of the lease. */
  readonly numberLookUpMs: number;
  readonly maxReleasesInBatch: number;
  readonly maxReadMarksWaiting: number;
  readonly maxReadMarksInFlight: number;
}

export const defaultDispatchSettings: DispatchSettings = {
  leaseMs: 30_000,
  sendingLeaseMs: defaultSendTimeouts.totalMs + 15_000,
  maxInFlight: 64,
  maxPerWorkspace: 48,
  maxPerAccount: 32,
  maxServedRemembered: 1_000,
  pollMs: 1_000,
  uncertainWaitMs: 30_000,
  settleMs: 120_000,
  sweepMs: 5_000,
  maxSwept: 500,
  maxMarksInBatch: 100,
  maxSettlementsInBatch: 100,
  maxRecordingMs: 60_000,
  lookupRetryMs: 1_000,
  maxLookupRetryMs: 60_000,
  numberLookUpMs: 5_000,
  maxReleasesInBatch: 100,
  maxReadMarksWaiting: 1_000,
  maxReadMarksInFlight: 4,
};
