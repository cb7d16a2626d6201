/** Outbound messages: permit, dispatch, attempts, receipts, dead letters. */
export { createOutbox, type OutboxDeps, outboxTopic } from './create-outbox.ts';
export { createDispatcher, type DispatcherDeps } from './dispatch/dispatcher.ts';
export { type Limit, limits } from './dispatch/limits.ts';
export { type DispatchSettings, defaultDispatchSettings } from './dispatch/settings.ts';
export * from './outbox.ts';
export { type MoveName, moves } from './states.ts';
