export { type Asked, type ReconcileDeps, reconcile } from './reconcile.ts';
export { findReconciliation, listReconciliations } from './reconcile-store.ts';
export * from './reconciliation.ts';
export { defaultSpan, spanProblem } from './span.ts';
