export { longestQuery } from './query.ts';
export { type FoundTrace, searchTraces, traceLimits } from './search.ts';
