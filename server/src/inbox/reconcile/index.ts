export { findDueLooks, findOwedLook, holdLook, listOwedLooks, oweEveryLook, oweLook, payLook } from './owed-store.ts';
export { type Asked, type ReconcileDeps, reconcile } from './reconcile.ts';
export { findReconciliation, listReconciliations } from './reconcile-store.ts';
export * from './reconciliation.ts';
export { defaultSpan, isToBeDivided, nextPartMs, spanProblem } from './span.ts';
