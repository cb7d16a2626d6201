import { type ErasureView, type ReconciliationView, type RetentionView, toPublicId } from '@switchyard/contract';
import type { Reconciliation } from '#inbox';
import type { Erasure, RetentionPlan } from '#privacy';

export function presentErasure(erasure: Erasure): ErasureView {
  return {
    id: toPublicId('erasure', erasure.id),
    contactId: toPublicId('contact', erasure.contactId),
    requestedBy: erasure.requestedBy,
    requestedAt: erasure.requestedAt.toISOString(),
    phase: erasure.phase,
    counts: { ...erasure.counts },
    finishedAt: erasure.finishedAt?.toISOString() ?? null,
    failure: erasure.failure,
    failedAt: erasure.failedAt?.toISOString() ?? null,
  };
}

export function presentRetention({ policy, deliveriesBefore, attemptsBefore, doomed }: RetentionPlan): RetentionView {
  return {
    ...policy,
    deliveriesBefore: deliveriesBefore.toISOString(),
    attemptsBefore: attemptsBefore.toISOString(),
    doomed: {
      deliveries: doomed.deliveries,
      deliveryBytes: doomed.deliveryBytes,
      attempts: doomed.attempts,
      oldestDeliveryAt: doomed.oldestDeliveryAt?.toISOString() ?? null,
    },
  };
}

export function presentReconciliation(one: Reconciliation): ReconciliationView {
  return {
    id: toPublicId('reconciliation', one.id),
    accountId: toPublicId('account', one.accountId),
    reason: one.reason,
    wantedFrom: one.wantedFrom.toISOString(),
    wantedUntil: one.wantedUntil.toISOString(),
    coveredFrom: one.coveredFrom?.toISOString() ?? null,
    state: one.state,
    detail: one.detail,
    listed: one.listed,
    recovered: one.recovered,
    startedAt: one.startedAt.toISOString(),
    finishedAt: one.finishedAt?.toISOString() ?? null,
  };
}
