/** Metrics, and what is told of accounts: health, statistics, ends of secrets. Later the balance of the ledger, alarms. */
export { type End, listEnds } from './accounts/ends.ts';
export { loadHealth } from './accounts/health.ts';
export {
  type AccountStatistics,
  loadStatistics,
  longestRangeMs,
  type StatisticsRange,
  usualRangeMs,
} from './accounts/statistics.ts';
export { createMetrics } from './metrics-store.ts';
export * from './pressure/index.ts';
