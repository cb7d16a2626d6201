/** Metrics; later statistics old against new, the balance of the ledger, alarms. */
export { createMetrics } from './metrics-store.ts';
export * from './pressure/index.ts';
