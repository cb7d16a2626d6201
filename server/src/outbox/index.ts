/** Outbound messages: permit, dispatch, attempts, receipts, dead letters. */
export * from './outbox.ts';
