export { type Canaries, createCanaries, type SeenRun } from './canary.ts';
export { type CanaryRun, canaryLimits, hopNames, stoppedAt } from './canary-hops.ts';
export { findDueCanaries } from './canary-store.ts';
