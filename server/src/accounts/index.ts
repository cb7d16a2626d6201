/** Connected numbers and pages: tokens, credentials, life-cycle, routing, who serves them. */
export * from './accounts.ts';
export type { ConnectionChange, ConnectionEvent } from './apply-connection.ts';
export { cleanBinding } from './bindings.ts';
export {
  type ConnectionAct,
  type ConnectionStatus,
  connectionActs,
  connectionMoves,
  connectionStatuses,
  planConnection,
} from './connection.ts';
export { createAccounts } from './create-accounts.ts';
export type { AccountsDeps } from './parts.ts';
export { listRoutingCounts } from './route-store.ts';
export { accountLimits } from './shape.ts';
export { tokenOverlapMs } from './token-acts.ts';
