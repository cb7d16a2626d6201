/** Connected numbers and pages: tokens, credentials, life-cycle, routing, who serves them. */
export * from './accounts.ts';
export { cleanBinding } from './bindings.ts';
export { createAccounts } from './create-accounts.ts';
export type { AccountsDeps } from './parts.ts';
export { listRoutingCounts } from './route-store.ts';
export { accountLimits } from './shape.ts';
export { tokenOverlapMs } from './token-acts.ts';
