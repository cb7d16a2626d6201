/** Providers: verify, normalise, send. Never storage, never tenants. */
export * from './channel.ts';
export { closeProviderConnections } from './http/index.ts';
export { instagramChannel } from './instagram/index.ts';
export { metaChannel } from './meta/index.ts';
