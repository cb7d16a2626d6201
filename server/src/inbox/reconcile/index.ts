export { findDueLooks, findOwedLook, listOwedLooks, oweEveryLook, oweLook, payLook } from './owed-store.ts';
export { type Asked, type ReconcileDeps, reconcile } from './reconcile.ts';
export { findReconciliation, listReconciliations } from './reconcile-store.ts';
export * from './reconciliation.ts';
export { defaultSpan, spanProblem } from './span.ts';
