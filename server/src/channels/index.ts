/** Providers: verify, normalise, send. Never storage, never tenants. */
export * from './channel.ts';
export { evolutionChannel } from './evolution/index.ts';
export { gateFields } from './gate-fields.ts';
export {
  type AddressRange,
  anywhere,
  callProvider,
  closeProviderConnections,
  createReach,
  isForbiddenLiteral,
  parseOutgoingUrl,
  parseRange,
  prepareSending,
  type Reach,
} from './http/index.ts';
export { instagramChannel } from './instagram/index.ts';
export { metaChannel } from './meta/index.ts';
export { type ChoiceContent, numberedText } from './numbered/index.ts';
export { twilioChannel } from './twilio/index.ts';
export type { FoundWebhook, WebhookAbility, WebhookLevel } from './webhook-ability.ts';
export { webjsChannel } from './webjs/index.ts';
