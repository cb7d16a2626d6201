/** Database (embedded or external), transactions and tenant scope, schema, jobs, cache, counters, live events, sealing. */
export * from './engines.ts';
export * from './sealing/index.ts';
export * from './sealing.ts';
export * from './storage.ts';
