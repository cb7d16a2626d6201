/** Connected numbers and pages: tokens, credentials, life-cycle, routing, who serves them. */
export * from './accounts.ts';
export * from './companion/index.ts';
export type { Absence, ConnectionChange, ConnectionEvent } from './connection/apply-connection.ts';
export {
  type ConnectionAct,
  type ConnectionStatus,
  connectionActs,
  connectionMoves,
  connectionStatuses,
  planConnection,
} from './connection/connection.ts';
export type { PastConnectionChange } from './connection/connection-store.ts';
export { createAccounts } from './create-accounts.ts';
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
export { commonSettings } from './record/fields.ts';
export { accountLimits } from './record/shape.ts';
export { cleanBinding } from './routing/bindings.ts';
export { listRoutingCounts } from './routing/route-store.ts';
export { tokenOverlapMs, tokenQuietMs } from './tokens/token-acts.ts';
export {
  createProviderWebhooks,
  type ProviderWebhook,
  type ProviderWebhooks,
  type WebhookMatch,
} from './webhooks/provider-webhook.ts';
export {
  type SignedRequest,
  signedByCompanion,
  signedByHub,
  signedByTwilio,
  withEvolutionKey,
} from './webhooks/signed-request.ts';
export type { WebhookEvents } from './webhooks/webhook-events.ts';
export { refusalLimits } from './webhooks/webhook-refusals.ts';
export { tryWebhook, type WebhookTried } from './webhooks/webhook-test-client.ts';
