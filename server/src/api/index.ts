/** REST for console and tenants: parse, door, present. */
export { apiLimits, createApi, type ServerFactory } from './app.ts';
export type { ApiDeps } from './deps.ts';
export { liveTopic } from './live-hub.ts';
