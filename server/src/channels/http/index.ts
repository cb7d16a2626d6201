/** HTTP out to providers, the same for every channel. */
export * from './address/index.ts';
export { judgeBareAnswer, later, mayHaveBeenTaken } from './bare-answer.ts';
export { type Answer, type CompleteAnswer, maxAnswerBytes } from './exchange.ts';
export type { LostAnswer } from './lost.ts';
export { maxRetryAfterMs, retryAfterMs } from './retry-after.ts';
export { callProvider, closeProviderConnections, type ProviderCall, prepareSending } from './send-client.ts';
