/** REST for console and tenants: parse, door, present. */
export { apiLimits, createApi, type ServerFactory } from './app.ts';
export { type DangerousAct, dangerousActs, dangerousActsAsMarkdown } from './dangerous-acts.ts';
export type { ApiDeps } from './deps.ts';
export type { ApiRoute, RouteAccess } from './guard.ts';
export { idempotencyLimits } from './idempotency.ts';
export { deleteOldKeys } from './idempotency-store.ts';
export { liveLimits } from './live-hub.ts';
export { requestLimit } from './rate-limit.ts';
