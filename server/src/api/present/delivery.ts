/** Deliveries and traces as the interface shows them. */
import {
  type ConversationId,
  type DeliveryTraceView,
  type DeliveryView,
  type EventId,
  toPublicId,
} from '@switchyard/contract';
import { type DeliveryRow, type DeliveryTrace, hopsOf } from '#inbox';

const maxBodyShown = 64 * 1024;

export function presentDelivery(row: DeliveryRow): DeliveryView {
  return {
    id: toPublicId('delivery', row.id),
    accountId: row.accountId ? toPublicId('account', row.accountId) : null,
    accountName: row.accountName,
    provider: row.provider,
    routeKind: row.routeKind,
    method: row.method,
    receivedAt: row.receivedAt.toISOString(),
    sizeBytes: row.sizeBytes,
    isAuthenticated: row.isAuthenticated,
    isTest: row.isTest,
    state: row.state,
    normalisedMs: row.normalisedAt ? row.normalisedAt.getTime() - row.receivedAt.getTime() : null,
    events: row.eventCount,
    duplicates: row.duplicateCount,
    deadLetters: row.deadCount,
    summary: row.summary,
    sender: row.sender,
    error: row.error,
    status: row.status,
    processedMs: row.processedAt ? row.processedAt.getTime() - row.receivedAt.getTime() : null,
    messageId: row.messageId,
  };
}

export function presentTrace(trace: DeliveryTrace): DeliveryTraceView {
  return {
    ...presentDelivery(trace),
    target: trace.target.replace(/(\/webhooks\/[^/]+\/[^/]+\/)[^/?]+/, '$1…'),
    headers: { ...trace.headers },
    body: trace.body.subarray(0, maxBodyShown).toString('utf8'),
    isBodyCut: trace.body.length > maxBodyShown,
    hops: hopsOf(trace),
    eventList: trace.events.map((event) => ({
      id: toPublicId('event', event.id as EventId),
      kind: event.kind,
      type: event.type,
      key: event.key,
      state: event.state,
      reason: event.reason,
      conversationId: event.conversationId ? toPublicId('conversation', event.conversationId as ConversationId) : null,
      payload: event.payload,
    })),
  };
}
