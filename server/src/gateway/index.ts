/** Webhooks in: challenge, raw body, verify, receive, acknowledge. */
export { type CanaryDoor, canaryHeader, createCanaryDoor, type ExpectedCanary } from './canary-door.ts';
export type { GatewayDeps, GatewaySettings } from './exchange.ts';
export { createGateway, type Gateway } from './gateway.ts';
export { gatewayLimits, listenerLimits } from './limits.ts';
export { rebuildDelivery, type SealedDelivery } from './secret-parts.ts';
export { secretsOfAccount } from './verify-secrets.ts';
