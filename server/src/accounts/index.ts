/** Connected numbers and pages: tokens, credentials, life-cycle, routing, who serves them. */
export * from './accounts.ts';
export type { Absence, ConnectionChange, ConnectionEvent } from './apply-connection.ts';
export { cleanBinding } from './bindings.ts';
export * from './companion/index.ts';
export {
  type ConnectionAct,
  type ConnectionStatus,
  connectionActs,
  connectionMoves,
  connectionStatuses,
  planConnection,
} from './connection.ts';
export type { PastConnectionChange } from './connection-store.ts';
export { createAccounts } from './create-accounts.ts';
export { commonSettings } from './fields.ts';
export { assessHealth, type Health, scoreOf } from './health/health.ts';
export {
  type HealthFacts,
  type HealthSignal,
  healthLimits,
  type SignalKind,
  type SignalLevel,
  signalKinds,
} from './health/health-facts.ts';
export { type ProviderFacts, readProviderFacts } from './health/provider-facts.ts';
export * from './pairing/index.ts';
export type { AccountsDeps } from './parts.ts';
export {
  createProviderWebhooks,
  type ProviderWebhook,
  type ProviderWebhooks,
  type WebhookMatch,
} from './provider-webhook.ts';
export { listRoutingCounts } from './route-store.ts';
export { accountLimits } from './shape.ts';
export {
  type SignedRequest,
  signedByCompanion,
  signedByHub,
  signedByTwilio,
  withEvolutionKey,
} from './signed-request.ts';
export { tokenOverlapMs, tokenQuietMs } from './token-acts.ts';
export { tryWebhook, type WebhookTried } from './webhook-test-client.ts';
export type { WebhookEvents } from './webhooks/webhook-events.ts';
export { refusalLimits } from './webhooks/webhook-refusals.ts';
