/** Metrics, pressure, health and statistics of accounts, alarms, canaries, the rhythm of numbers, traces. */
export { credentialLimits, watchCredentials } from './accounts/credentials.ts';
export { type End, listEnds } from './accounts/ends.ts';
export { loadHealth } from './accounts/health.ts';
export {
  type AccountStatistics,
  loadStatistics,
  longestRangeMs,
  type StatisticsRange,
  usualRangeMs,
} from './accounts/statistics.ts';
export {
  type AlarmTarget,
  type CallOut,
  createCallOut,
  type Incident,
  stateOf,
  summaryOf,
  type TargetKind,
  targetKinds,
} from './alarms/index.ts';
export { balanceNow } from './balance.ts';
export { canaryLimits, type SeenRun } from './canary/index.ts';
export { createMetrics } from './metrics-store.ts';
export { createMonitoring, type Monitoring, type MonitoringDeps, type WatchedNumber } from './monitoring.ts';
export { refusingRound, type ScheduledJob } from './monitoring-jobs.ts';
export * from './pressure/index.ts';
export { type RefusalWatch, type RefusalWatchDeps, watchRefusals, writeAbsence } from './refusing/index.ts';
export { type FoundTrace, longestQuery } from './trace/index.ts';
export { watchDeadLetters, watchOwedLooks, watchSilence } from './watch.ts';
