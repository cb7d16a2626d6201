export { defaultPolicy, type RetentionPolicy, retentionLimits } from './policy.ts';
export * from './retention.ts';
export type { Doomed } from './retention-store.ts';
