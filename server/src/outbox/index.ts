/** Outbound messages: permit, dispatch, attempts, receipts, dead letters. */
export { createOutbox, type OutboxDeps, oneByOne, outboxTopic } from './create-outbox.ts';
export * from './outbox.ts';
export { type MoveName, moves } from './states.ts';
