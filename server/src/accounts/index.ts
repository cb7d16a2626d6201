/** Connected numbers and pages: tokens, credentials, life-cycle, routing, who serves them. */
export * from './accounts.ts';
export { cleanBinding } from './bindings.ts';
export { type AccountsDeps, accountLimits, createAccounts, tokenOverlapMs } from './create-accounts.ts';
export { listRoutingCounts } from './route-store.ts';
