/** Providers: verify, normalise, send. Never storage, never tenants. */
export * from './channel.ts';
export { metaChannel } from './meta/index.ts';
