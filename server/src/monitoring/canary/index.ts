export { type Canaries, createCanaries, type SeenRun } from './canary.ts';
export { type CanaryRun, canaryLimits, hopNames, stoppedAt } from './canary-hops.ts';
export { findDueCanaries } from './canary-store.ts';
export {
  type SignedRequest,
  signedByCompanion,
  signedByHub,
  signedByTwilio,
  withEvolutionKey,
} from './signed-request.ts';
