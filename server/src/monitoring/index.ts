/** Metrics, the balance of the ledger, alarms, canaries, the rhythm of numbers, traces; later statistics old against new. */
export {
  type AlarmTarget,
  type CallOut,
  createMailer,
  type Incident,
  plainCallOut,
  summaryOf,
  type TargetKind,
  targetKinds,
} from './alarms/index.ts';
export {
  canaryLimits,
  type SeenRun,
  type SignedRequest,
  signedByCompanion,
  signedByHub,
  signedByTwilio,
  withEvolutionKey,
} from './canary/index.ts';
export { createMetrics } from './metrics-store.ts';
export { createMonitoring, type Monitoring, type MonitoringDeps, type WatchedNumber } from './monitoring.ts';
export { type ScheduledJob, startJobs } from './monitoring-jobs.ts';
export * from './pressure/index.ts';
export { type FoundTrace, longestQuery } from './trace/index.ts';
export { balanceNow, watchDeadLetters, watchSilence } from './watch.ts';
