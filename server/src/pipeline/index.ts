/** Compose, context, middleware one file each, commit. */
export * from './pipeline.ts';
