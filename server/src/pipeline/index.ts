/** Compose, context, middleware one file each, commit. */
export { compose } from './compose.ts';
export { answer, changing, type Middleware, type Next, stop, type TurnContext, type TurnEnd } from './context.ts';
export { createPipeline, type PipelineParts } from './create-pipeline.ts';
export { defaultLimits, type PipelineLimits } from './limits.ts';
export { findOptWord, type OptWord } from './opt-words.ts';
export * from './pipeline.ts';
export type { Session } from './session.ts';
export { type StandardParts, standardMiddleware } from './standard.ts';
